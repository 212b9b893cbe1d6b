/** A socket that is reset is closed, whatever it was about to do. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { resetSocket } from "../../runtime/testing/reset-socket.js";

test.each<[string, (socket: Socket) => unknown]>([
  ["is open", () => {}],
  ["has just been ended", (socket) => socket.end()],
  ["is being shut down", (socket) => new Promise<void>((resolve) => socket.end() && process.nextTick(resolve))],
  ["has been shut down", (socket) => new Promise<void>((resolve) => socket.end(resolve))],
  ["is destroyed", (socket) => socket.destroy()],
])("a socket that %s is closed by a reset", async (_, before) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).resume());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const errors: unknown[] = [];
  socket.on("error", (error) => errors.push(error));
  await once(socket, "connect");
  onTestFinished(() => void server.close());
  const closed = once(socket, "close");
  await before(socket);
  resetSocket(socket);
  await closed;
  expect(errors).toEqual([]);
});
