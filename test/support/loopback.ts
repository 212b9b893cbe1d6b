import { once } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https, { type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A server on a free port of this machine, gone when the test is finished. */
export interface Loopback {
  readonly url: string;
  /** Connections that were ever made. */
  readonly sockets: Socket[];
  readonly requests: IncomingMessage[];
}

export async function loopback(
  listener: RequestListener,
  { tls, host = "127.0.0.1" }: { tls?: ServerOptions; host?: string } = {},
): Promise<Loopback> {
  const server = tls === undefined ? http.createServer() : https.createServer(tls);
  // What is idle stays until the client closes it.
  server.keepAliveTimeout = 0;
  const sockets: Socket[] = [];
  const requests: IncomingMessage[] = [];
  server.on("connection", (socket) => {
    sockets.push(socket);
    // A client that leaves in the middle is no fault of the server's.
    socket.on("error", () => {});
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    listener(request, response);
  });
  server.listen(0, host);
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `${tls === undefined ? "http" : "https"}://${name}:${port}`, sockets, requests };
}
