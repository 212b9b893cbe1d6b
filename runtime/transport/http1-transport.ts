/** HTTP/1.1 over node:http and node:https, with connections that are kept and used again. */
import { createHash } from "node:crypto";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { InformerError, messageOf } from "../api/informer-error.js";
import { abortError, onAbort } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
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
    const response = await this.#send(request, credentials);
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
    this.#agents?.list.destroy();
    this.#agents?.watch.destroy();
    this.#agents = undefined;
  }

  #send(request: TransportRequest, credentials: Credentials): Promise<IncomingMessage> {
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
      const fail = (error: unknown) => {
        timer.cancel();
        release();
        reject(this.#failure(error));
      };
      const timer = this.#clock.after(CONNECT_TIMEOUT_MS, () => {
        outgoing.destroy(
          new InformerError("timeout", `${this.server} took longer than ${CONNECT_TIMEOUT_MS} ms to connect`),
        );
      });
      const release = onAbort(request.signal, () => outgoing.destroy(abortError(request.signal)));
      outgoing.on("error", fail);
      outgoing.on("socket", (socket) => {
        // A socket out of the pool is connected already and says nothing more.
        if (!socket.connecting) timer.cancel();
        else socket.once(this.#secure ? "secureConnect" : "connect", () => timer.cancel());
      });
      outgoing.on("response", (response) => {
        timer.cancel();
        release();
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
    if (error instanceof InformerError) return error;
    const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
    const tls = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code);
    return new InformerError(tls ? "tls" : "connection", `${this.server}: ${messageOf(error)}`, { cause: error });
  }
}
