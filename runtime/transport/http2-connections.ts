/** HTTP/2 over node:http2: many watches on few connections. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import type { TLSSocket } from "node:tls";
import { InformerError, messageOf } from "../api/informer-error.js";
import { abortError, onAbort, unlessAborted } from "../util/abort.js";
import type { Clock, Timer } from "../util/clock.js";
import { node } from "../util/node-modules.js";
import { codeOf, connectionError, fullPath, requestHeaders, tlsFingerprint } from "./connections.js";
import type { Credentials } from "./credentials.js";
import { HttpBody } from "./http-body.js";
import { connectTls } from "./tls-connect.js";
import type { TransportRequest, TransportResponse } from "./transport.js";

/** client-go's numbers: a connection that is silent for so long is asked whether it lives, and has so long to answer. */
const PING_AFTER_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;
/** Room for what is on its way, in bytes: at the default of 64 KiB a list over a long line would wait for acknowledgements. */
const STREAM_WINDOW = 4 * 1024 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;
/** Streams on one connection, where the server allows more: beyond it head-of-line blocking costs more than a socket. */
const MAX_STREAMS = 100;

/** One connection, from its handshake on. */
export interface Session {
  readonly http2: ClientHttp2Session;
  readonly fingerprint: string;
  readonly heartbeat: Heartbeat;
  /** Requests that run on it, or are about to. */
  streams: number;
}

/** A handshake that is under way, for all who want a connection meanwhile. */
interface Connecting {
  readonly fingerprint: string;
  readonly result: Promise<TLSSocket | undefined>;
  /** Those who still want it. */
  waiting: number;
}

/** Ends a request that the server is known not to have looked at: it may be sent again at once. */
export class UnprocessedRequest extends Error {}

export class Http2Connections {
  readonly #server: URL;
  readonly #clock: Clock;
  readonly #sessions = new Set<Session>();
  readonly #closing = new AbortController();
  #connecting: Connecting | undefined;

  constructor(server: URL, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  /**
   * A place for one request, to be used at once by {@link send}; or the connection, when the server turned out not to speak
   * HTTP/2. It is the caller's then.
   */
  async acquire(credentials: Credentials, signal: AbortSignal): Promise<Session | TLSSocket> {
    const fingerprint = tlsFingerprint(credentials.tls);
    for (;;) {
      if (signal.aborted) throw abortError(signal);
      const session = this.#find(fingerprint);
      if (session !== undefined) {
        session.streams++;
        return session;
      }
      if (this.#connecting?.fingerprint !== fingerprint) this.#connecting = this.#connect(credentials, fingerprint);
      const connecting = this.#connecting;
      connecting.waiting++;
      const socket = await unlessAborted(connecting.result, signal).finally(() => connecting.waiting--);
      if (socket !== undefined) return socket;
    }
  }

  /** @throws InformerError `connection` or `timeout`; {@link UnprocessedRequest} */
  async send(session: Session, request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    try {
      const stream = session.http2.request(
        { ":path": fullPath(this.#server, request), ...requestHeaders(request, credentials) },
        { endStream: true },
      );
      stream.once("close", () => this.#released(session));
      const headers = await responseOf(stream, request.signal);
      return {
        status: headers[":status"] ?? 0,
        headers,
        body: new HttpBody(
          stream,
          headers["content-encoding"],
          request.signal,
          () => resetOf(stream),
          () => cancel(stream),
        ),
      };
    } catch (error) {
      if (isUnprocessed(error)) throw new UnprocessedRequest("refused before it was looked at", { cause: error });
      throw connectionError(error, this.#server.origin);
    }
  }

  /** No request begins any more; those that run go on to their end. */
  close(): void {
    this.#closing.abort();
    for (const session of this.#sessions) this.#retire(session);
  }

  #find(fingerprint: string): Session | undefined {
    for (const session of this.#sessions) {
      if (session.fingerprint !== fingerprint) this.#retire(session);
      else if (session.streams < mostStreams(session)) return session;
    }
    return undefined;
  }

  /** No request begins on it any more; those that run go on to their end. */
  #retire(session: Session): void {
    this.#sessions.delete(session);
    if (session.streams === 0) session.heartbeat.stop();
    session.http2.close();
  }

  #released(session: Session): void {
    session.streams--;
    // A connection beyond the first is given up when nothing runs on it.
    if (session.streams === 0 && this.#sessions.size > 1) this.#retire(session);
  }

  #connect(credentials: Credentials, fingerprint: string): Connecting {
    const result = this.#open(credentials, fingerprint)
      .then((socket) => {
        if (connecting.waiting === 0) socket?.destroy();
        return socket;
      })
      .finally(() => {
        this.#connecting = undefined;
      });
    const connecting: Connecting = { fingerprint, result, waiting: 0 };
    return connecting;
  }

  async #open(credentials: Credentials, fingerprint: string): Promise<TLSSocket | undefined> {
    const socket = await connectTls(this.#server, credentials, ["h2", "http/1.1"], this.#clock, this.#closing.signal);
    if (socket.alpnProtocol !== "h2") return socket;
    const session = node.http2.connect(this.#server, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    const heartbeat = new Heartbeat(session, socket, this.#clock);
    const known: Session = { http2: session, fingerprint, heartbeat, streams: 0 };
    // Streams report what ends a session to those who wait; here it only leaves the pool.
    session.on("error", () => {});
    session.on("goaway", () => this.#retire(known));
    const leave = () => {
      this.#sessions.delete(known);
      heartbeat.stop();
    };
    session.on("close", leave);
    // Of an alert that answers its first bytes Node's session tells nobody: neither "error" nor "close" comes.
    socket.on("error", leave);
    // Node waits until the server has closed its half too, which one that is gone never does.
    socket.on("finish", () => socket.destroy());
    await unlessAborted(settingsOf(session, socket), this.#closing.signal).catch((error: unknown) => {
      leave();
      socket.destroy();
      throw connectionError(error, this.#server.origin);
    });
    session.setLocalWindowSize(SESSION_WINDOW);
    this.#sessions.add(known);
    return undefined;
  }
}

/** A server that allows none, as it may for a moment, would allow none on another connection either: requests wait on this one. */
function mostStreams({ http2 }: Session): number {
  return Math.min(MAX_STREAMS, http2.remoteSettings.maxConcurrentStreams || MAX_STREAMS);
}

/** The server named the last stream that it takes, and this one is beyond; or it refused the stream (RFC 9113 8.7). */
function isUnprocessed(error: unknown): boolean {
  const code = codeOf(error);
  if (code === "ERR_HTTP2_GOAWAY_SESSION" || code === "ERR_HTTP2_INVALID_SESSION") return true;
  return code === "ERR_HTTP2_STREAM_ERROR" && messageOf(error).includes("NGHTTP2_REFUSED_STREAM");
}

/**
 * How many streams the server allows is known with its first frame.
 * @throws the socket's error: in TLS 1.3 a server looks at the client's certificate after the client's handshake is done
 */
function settingsOf(session: ClientHttp2Session, socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    socket.once("error", reject);
    session.once("close", () => reject(new InformerError("connection", "closed before the first frame")));
  });
}

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

function responseOf(stream: ClientHttp2Stream, signal: AbortSignal): Promise<ResponseHeaders> {
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => cancel(stream));
    const fail = (error: Error) => {
      release();
      reject(signal.aborted ? abortError(signal) : error);
    };
    stream.once("response", (headers) => {
      release();
      stream.off("error", fail);
      // From here on the body's reader hears of every error.
      stream.on("error", () => {});
      resolve(headers);
    });
    stream.once("error", fail);
    stream.once("close", () => fail(new Error("the stream was closed before the answer")));
  });
}

/**
 * Tells the server that nobody reads on (RFC 9113 7). Of a stream that is destroyed without a code Node sends the reset at once, also
 * in the middle of what nghttp2 reads, which frees the stream under it (nodejs/node#38964).
 */
function cancel(stream: ClientHttp2Stream): void {
  stream.close(node.http2.constants.NGHTTP2_CANCEL);
  stream.destroy();
}

/** A stream that is reset says "end" first, like one that is whole. */
function resetOf(stream: ClientHttp2Stream): Error | undefined {
  return stream.rstCode === 0 || stream.rstCode === undefined
    ? undefined
    : new Error(`the stream was reset with code ${stream.rstCode}`);
}

/** Asks a silent connection whether it lives: a dead one is noticed long before any request on it has to end. */
class Heartbeat {
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  #timer: Timer;
  #bytesRead = 0;

  constructor(session: ClientHttp2Session, socket: TLSSocket, clock: Clock) {
    this.#session = session;
    this.#socket = socket;
    this.#clock = clock;
    this.#timer = clock.after(PING_AFTER_MS, () => this.#beat());
  }

  stop(): void {
    this.#timer.cancel();
  }

  #beat(): void {
    // It says "close" once its last bytes are written, and a ping would throw until then.
    if (this.#session.destroyed) return;
    const { bytesRead } = this.#socket;
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#timer = this.#clock.after(PING_AFTER_MS, () => this.#beat());
      return;
    }
    this.#timer = this.#clock.after(PING_TIMEOUT_MS, () => {
      this.#session.destroy(new InformerError("timeout", `no answer to an HTTP/2 ping within ${PING_TIMEOUT_MS} ms`));
    });
    this.#session.ping((error) => {
      // A session that ends takes its ping along; what ended it is told elsewhere.
      if (error !== null) return;
      this.#timer.cancel();
      this.#bytesRead = this.#socket.bytesRead;
      this.#timer = this.#clock.after(PING_AFTER_MS, () => this.#beat());
    });
  }
}
