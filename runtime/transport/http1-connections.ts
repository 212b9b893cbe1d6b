/** HTTP/1.1 over node:http and node:https, with connections that are kept and used again. */
import type http from "node:http";
import type https from "node:https";
import type { OnReadOpts } from "node:net";
import type { TLSSocket } from "node:tls";
import { abortError, onAbort } from "../util/abort.js";
import type { Clock, Timer } from "../util/clock.js";
import { node } from "../util/node-modules.js";
import {
  CONNECT_TIMEOUT_MS,
  codeOf,
  connectionError,
  connectTimeout,
  fullPath,
  hostOf,
  requestHeaders,
  tlsFingerprint,
} from "./connections.js";
import type { Credentials } from "./credentials.js";
import { HttpBody } from "./http-body.js";
import { connectTls } from "./tls-connect.js";
import type { TransportRequest, TransportResponse } from "./transport.js";

/** Lists at one time: sixty-one informers that start together must not open as many connections for a moment's work. */
const MAX_LIST_SOCKETS = 8;

/** What a socket is read into, in bytes: as much as Node takes for each read, and would allocate each time. */
const READ_BYTES = 64 * 1024;

interface Agents {
  readonly fingerprint: string;
  readonly list: ReadingAgent;
  readonly watch: ReadingAgent;
}

export class Http1Connections {
  readonly #server: URL;
  readonly #clock: Clock;
  readonly #secure: boolean;
  #agents: Agents | undefined;
  readonly #closing = new AbortController();

  constructor(server: URL, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.#secure = server.protocol === "https:";
  }

  /** Resolves when the headers are in, whatever the status. @throws InformerError `connection`, `tls` or `timeout` */
  async send(request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    const response = await this.#sendOrResend(request, credentials);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: new HttpBody(response, response.headers["content-encoding"], request.signal),
    };
  }

  /** Takes a TLS connection that is made already, for the next request of this kind. */
  adopt(socket: TLSSocket, kind: TransportRequest["kind"], credentials: Credentials): void {
    this.#agentsFor(credentials)[kind].adopted.push(socket);
  }

  /** Closes what is idle or not yet connected, and the rest as its requests end. */
  close(): void {
    this.#closing.abort();
    this.#retireAgents();
  }

  #retireAgents(): void {
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
  async #sendOrResend(request: TransportRequest, credentials: Credentials): Promise<http.IncomingMessage> {
    try {
      return await this.#send(request, credentials);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw connectionError(error, this.#server.origin);
      closeIdle(error.agent);
    }
    try {
      return await this.#send(request, credentials);
    } catch (error) {
      throw connectionError(error instanceof StaleConnection ? error.cause : error, this.#server.origin);
    }
  }

  async #send(request: TransportRequest, credentials: Credentials): Promise<http.IncomingMessage> {
    if (request.signal.aborted) throw abortError(request.signal);
    const server = this.#server;
    const agent = credentials.proxyAgent ?? this.#agentsFor(credentials)[request.kind];
    const options: https.RequestOptions = {
      method: "GET",
      protocol: server.protocol,
      hostname: hostOf(server),
      port: server.port,
      path: fullPath(server, request),
      agent,
      headers: requestHeaders(request, credentials),
      ...(this.#secure ? credentials.tls : {}),
    };
    return new Promise((resolve, reject) => {
      const outgoing = (this.#secure ? node.https : node.http).request(options);
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
        timer ??= this.#clock.after(CONNECT_TIMEOUT_MS, () => callOff(connectTimeout(server.origin)));
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
  #agentsFor(credentials: Credentials): Agents {
    const fingerprint = tlsFingerprint(credentials.tls);
    if (this.#agents?.fingerprint !== fingerprint) {
      this.#retireAgents();
      const connect = () => connectTls(this.#server, credentials, ["http/1.1"], this.#clock, this.#closing.signal);
      const tunnel = credentials.proxy && connect;
      const { Agent } = this.#secure ? node.https : node.http;
      this.#agents = {
        fingerprint,
        list: readingAgent(new Agent({ keepAlive: true, maxSockets: MAX_LIST_SOCKETS }), tunnel),
        watch: readingAgent(new Agent({ keepAlive: true }), tunnel),
      };
    }
    return this.#agents!;
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

/** Uses connections that were made elsewhere before it makes its own, which read into memory that they use again. */
interface ReadingAgent extends http.Agent {
  readonly adopted: TLSSocket[];
}

/** @param tunnel makes the connections, when there is a proxy */
function readingAgent(agent: http.Agent, tunnel: (() => Promise<TLSSocket>) | undefined): ReadingAgent {
  const adopted: TLSSocket[] = [];
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = adopted.pop();
    if (socket?.destroyed === false) return socket;
    if (tunnel === undefined) return connectReading(connect, options, callback);
    const connected = callback as unknown as (error: Error | null, socket?: TLSSocket) => void;
    tunnel().then(
      (made) => connected(null, made),
      (error: Error) => connected(error),
    );
    return undefined;
  };
  return Object.assign(agent, { adopted });
}

/**
 * A connection that always reads into the same memory. The HTTP parser copies every body out of it before the next read; of memory
 * for each read V8 counts 64 KiB, however little came, and looks through its heap for garbage because of it.
 */
function connectReading(
  connect: http.Agent["createConnection"],
  ...[options, callback]: Parameters<http.Agent["createConnection"]>
): ReturnType<http.Agent["createConnection"]> {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const onread: OnReadOpts = {
    buffer,
    callback: (length) => {
      socket?.emit("data", buffer.subarray(0, length));
      return true;
    },
  };
  const socket = connect({ ...options, onread } as http.ClientRequestArgs, callback);
  return socket;
}

function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
