/** HTTP/1.1 over node:http and node:https, with connections that are kept and used again. */
import { createHash } from "node:crypto";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { InformerError, isInformerError, messageOf } from "../api/informer-error.js";
import { abortError, onAbort } from "../util/abort.js";
import type { Clock, Timer } from "../util/clock.js";
import { CredentialSource, type Credentials, type KubeConfigLike } from "./credentials.js";
import { HttpBody } from "./http-body.js";
import type { Transport, TransportRequest, TransportResponse } from "./transport.js";
import { USER_AGENT } from "./user-agent.js";

/** Lists at one time: sixty-one informers that start together must not open as many connections for a moment's work. */
const MAX_LIST_SOCKETS = 8;
/** How long a connection may take to be made, name look-up and TLS handshake included. */
const CONNECT_TIMEOUT_MS = 10_000;

interface Agents {
  readonly fingerprint: string;
  readonly list: http.Agent;
  readonly watch: http.Agent;
}

export class Http1Transport implements Transport {
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  readonly #secure: boolean;
  #agents: Agents | undefined;

  /** @throws InformerError `usage` when the KubeConfig does not say which server */
  constructor(kubeConfig: KubeConfigLike, clock: Clock) {
    this.#credentials = new CredentialSource(kubeConfig, clock);
    this.#clock = clock;
    this.#secure = this.#credentials.server.protocol === "https:";
  }

  get server(): string {
    return this.#credentials.server.origin;
  }

  async get(request: TransportRequest): Promise<TransportResponse> {
    const credentials = await this.#credentials.get();
    const response = await this.#sendOrResend(request, credentials);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: new HttpBody(response, request.signal),
    };
  }

  credentialsRefused(): void {
    this.#credentials.invalidate();
  }

  close(): void {
    for (const agent of [this.#agents?.list, this.#agents?.watch]) {
      if (agent === undefined) continue;
      // `destroy` of an agent would break the requests that run. Theirs are closed as they end.
      agent.maxFreeSockets = 0;
      closeIdle(agent);
    }
    this.#agents = undefined;
  }

  /**
   * A server closes idle connections when it likes, and a request may cross that on its way. Nothing is known to be wrong
   * then, so it goes out once more at once; on a new connection, because other idle ones may have been closed as well.
   */
  async #sendOrResend(request: TransportRequest, credentials: Credentials): Promise<IncomingMessage> {
    try {
      return await this.#send(request, credentials);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw this.#failure(error);
      closeIdle(error.agent);
    }
    try {
      return await this.#send(request, credentials);
    } catch (error) {
      throw this.#failure(error instanceof StaleConnection ? error.cause : error);
    }
  }

  async #send(request: TransportRequest, credentials: Credentials): Promise<IncomingMessage> {
    if (request.signal.aborted) throw abortError(request.signal);
    const { server } = this.#credentials;
    // A server may be published below a path, as Rancher does; the URL parser writes a path that is empty as "/".
    const path = server.pathname.replace(/\/$/, "") + request.path;
    const agent = credentials.proxyAgent ?? this.#agentsFor(credentials)[request.kind];
    const options: https.RequestOptions = {
      method: "GET",
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: server.port,
      path,
      agent,
      headers: { ...credentials.headers, accept: request.accept, "user-agent": USER_AGENT },
      ...(this.#secure ? credentials.tls : {}),
    };
    return new Promise((resolve, reject) => {
      const outgoing = (this.#secure ? https : http).request(options);
      let timer: Timer | undefined;
      let bytesBefore = 0;
      const settled = () => {
        timer?.cancel();
        release();
      };
      const fail = (error: unknown) => {
        settled();
        const stale =
          outgoing.reusedSocket &&
          !request.signal.aborted &&
          outgoing.socket?.bytesRead === bytesBefore &&
          ["ECONNRESET", "EPIPE"].includes(codeOf(error));
        reject(stale ? new StaleConnection(agent, error) : error);
      };
      // A request that waits in the pool has no socket to be destroyed, and says nothing until it gets one.
      const callOff = (error: Error) => {
        outgoing.destroy(error);
        fail(error);
      };
      const limitConnecting = () => {
        timer ??= this.#clock.after(CONNECT_TIMEOUT_MS, () =>
          callOff(new InformerError("timeout", `${this.server} took longer than ${CONNECT_TIMEOUT_MS} ms to connect`)),
        );
      };
      const release = onAbort(request.signal, () => callOff(abortError(request.signal)));
      // Waiting for a place in the pool takes as long as the lists before it. A proxy's agent has no pool that is full.
      if (agent === credentials.proxyAgent) limitConnecting();
      outgoing.on("error", fail);
      outgoing.on("socket", (socket) => {
        bytesBefore = socket.bytesRead;
        // A socket out of the pool is connected already and says nothing more.
        if (!socket.connecting) return timer?.cancel();
        limitConnecting();
        socket.once(this.#secure ? "secureConnect" : "connect", () => timer?.cancel());
      });
      outgoing.on("response", (response) => {
        settled();
        outgoing.off("error", fail);
        // From here on the body's reader hears of every error; the request repeats it to nobody.
        outgoing.on("error", () => {});
        resolve(response);
      });
      outgoing.end();
    });
  }

  /** New agents whenever the certificates change, so that a rotated one is used from the next connection on. */
  #agentsFor({ tls }: Credentials): Agents {
    const fingerprint = createHash("sha256").update(JSON.stringify(tls)).digest("hex");
    if (this.#agents?.fingerprint !== fingerprint) {
      this.close();
      const AgentClass = this.#secure ? https.Agent : http.Agent;
      this.#agents = {
        fingerprint,
        list: new AgentClass({ keepAlive: true, maxSockets: MAX_LIST_SOCKETS }),
        watch: new AgentClass({ keepAlive: true }),
      };
    }
    return this.#agents!;
  }

  #failure(error: unknown): InformerError {
    if (isInformerError(error)) return error;
    const tls = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(codeOf(error));
    return new InformerError(tls ? "tls" : "connection", `${this.server}: ${messageOf(error)}`, { cause: error });
  }
}

/** Ends a request that met a connection which the server had closed. */
class StaleConnection extends Error {
  readonly agent: http.Agent;

  constructor(agent: http.Agent, cause: unknown) {
    super("the kept connection was closed", { cause });
    this.agent = agent;
  }
}

function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}
