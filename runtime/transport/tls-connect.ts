/** TLS connections to the API server, direct or through a proxy. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { abortError, childAbort, onAbort } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { node } from "../util/node-modules.js";
import { CONNECT_TIMEOUT_MS, connectionError, connectTimeout, hostOf } from "./connections.js";
import type { Credentials } from "./credentials.js";
import { openTunnel } from "./proxy.js";

/**
 * Resolves after the handshake, which took 10 seconds at most with all that was before it.
 * @param closing ends the attempt
 * @throws InformerError `connection`, `tls` or `timeout`
 */
export async function connectTls(
  server: URL,
  credentials: Credentials,
  protocols: readonly string[],
  clock: Clock,
  closing: AbortSignal,
): Promise<TLSSocket> {
  const { controller, signal, release } = childAbort(closing);
  const timer = clock.after(CONNECT_TIMEOUT_MS, () => controller.abort(connectTimeout(server.origin)));
  try {
    const { proxy } = credentials;
    const tunnel = proxy === undefined ? undefined : await openTunnel(proxy, server, signal);
    return await handshake(server, credentials, protocols, tunnel, signal);
  } catch (error) {
    throw connectionError(signal.aborted ? abortError(signal) : error, server.origin);
  } finally {
    timer.cancel();
    release();
  }
}

async function handshake(
  server: URL,
  { tls: options }: Credentials,
  protocols: readonly string[],
  tunnel: Socket | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const host = hostOf(server);
  // It throws at once when the kubeconfig's certificates are none.
  const socket = node.tls.connect({
    ...(tunnel === undefined ? { host, port: Number(server.port || 443) } : { socket: tunnel, host }),
    // A name for the handshake: an address is not one (RFC 6066).
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...options,
    ALPNProtocols: [...protocols],
  });
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => socket.destroy(abortError(signal)));
    const fail = (error: Error) => reject(error);
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("closed during the handshake")));
    socket.once("secureConnect", () => {
      release();
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      resolve(socket);
    });
  });
}
