/** The socket side of the embedded server. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
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
  #server: Server | undefined;
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
    const respond = (request: IncomingMessage, response: ServerResponse) => {
      // What it throws it has answered.
      this.#handle(new Exchange(request, response)).catch(() => response.destroy());
    };
    const server = this.#tls === undefined ? createHttpServer(respond) : createHttpsServer(this.#tls, respond);
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
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await Promise.all(gone);
  }
}
