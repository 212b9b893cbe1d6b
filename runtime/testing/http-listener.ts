/** The socket side of the embedded server. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Exchange } from "./exchange.js";

/** In PEM. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
  /** What clients are to trust; `cert` itself when absent. */
  readonly ca?: string;
}

const HOST = "127.0.0.1";

export class HttpListener {
  readonly #handle: (exchange: Exchange) => Promise<void>;
  readonly #tls: TlsOptions | undefined;
  #port: number;
  #server: Server | Http2SecureServer | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(handle: (exchange: Exchange) => Promise<void>, port: number, tls: TlsOptions | undefined) {
    this.#handle = handle;
    this.#port = port;
    this.#tls = tls;
  }

  get url(): string {
    return `${this.#tls === undefined ? "http" : "https"}://${HOST}:${this.#port}`;
  }

  get ca(): string | undefined {
    return this.#tls?.ca ?? this.#tls?.cert;
  }

  /** Rejects when the port is taken. Does nothing while it listens. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.#create();
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, HOST, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** No new connections; those that wait for a request are closed, those with one go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** No connections. Resolves when the last one has gone. */
  async stop(): Promise<void> {
    this.refuse();
    const gone = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(gone);
  }

  /** With TLS a client may speak HTTP/2 or HTTP/1.1, as it may to a real server. */
  #create(): Server | Http2SecureServer {
    const respond = (exchange: Exchange) => {
      // What a handler throws it has answered before.
      this.#handle(exchange).catch(() => exchange.reset());
    };
    if (this.#tls === undefined) return createServer((request, response) => respond(new Exchange(request, response)));
    const { key, cert } = this.#tls;
    const server = createSecureServer({ key, cert, allowHTTP1: true });
    // Node's HTTP/2 gives the objects of HTTP/1.1, for what is used of them here.
    server.on("request", (request, response) => {
      respond(new Exchange(request as unknown as IncomingMessage, response as unknown as ServerResponse));
    });
    server.on("sessionError", () => {});
    return server;
  }
}
