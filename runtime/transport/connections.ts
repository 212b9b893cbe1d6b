/** What the connections of either HTTP version have in common. */
import { InformerError, isInformerError, messageOf } from "../api/informer-error.js";
import { node } from "../util/node-modules.js";
import type { Credentials } from "./credentials.js";
import type { TransportRequest } from "./transport.js";
import { USER_AGENT } from "./user-agent.js";

/** How long a connection may take to be made, name look-up and TLS handshake included. */
export const CONNECT_TIMEOUT_MS = 10_000;

export function connectTimeout(server: string): InformerError {
  return new InformerError("timeout", `${server} took longer than ${CONNECT_TIMEOUT_MS} ms to connect`);
}

/** A server may be published below a path, as Rancher does; the URL parser writes a path that is empty as "/". */
export function fullPath(server: URL, { path }: TransportRequest): string {
  return server.pathname.replace(/\/$/, "") + path;
}

/** The host as sockets want it: an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

export function requestHeaders(
  { accept }: TransportRequest,
  { headers }: Credentials,
): Record<string, string | string[]> {
  return { ...headers, accept, "user-agent": USER_AGENT };
}

const fingerprints = new WeakMap<Credentials["tls"], string>();

/**
 * Changes when certificates, keys or the rules of trust do: connections made with others are not used again then. Every request
 * asks for it, so it is made once for each answer of the kubeconfig.
 */
export function tlsFingerprint(tls: Credentials["tls"]): string {
  let fingerprint = fingerprints.get(tls);
  if (fingerprint === undefined) {
    fingerprint = node.crypto.createHash("sha256").update(JSON.stringify(tls)).digest("hex");
    fingerprints.set(tls, fingerprint);
  }
  return fingerprint;
}

export function connectionError(error: unknown, server: string): InformerError {
  if (isInformerError(error)) return error;
  const tls = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(codeOf(error));
  return new InformerError(tls ? "tls" : "connection", `${server}: ${messageOf(error)}`, { cause: error });
}

export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}
