/** Connections that end like a process that is killed. */
import type { Socket } from "node:net";

/**
 * RST. A socket that is just being shut down cannot be reset: libuv refuses (EINVAL), and Node then never closes it, so that the
 * process could not end. Such a one is closed.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
