/** Acting as somebody else. Counterpart: `ImpersonationConfig` of client-go's rest/config.go. */
import { InformerError } from "../api/informer-error.js";

/**
 * Another identity to act as: the API server looks at the rights of this one, and asks the kubeconfig's whether it may.
 * client-node sends the user alone.
 */
export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  /** Values by key, as `{ scopes: ["view"] }`. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a header may hold. */
export const PRINTABLE: RegExp = /^[\x20-\x7e]*$/;

/** @throws InformerError `usage` */
export function impersonationHeaders({
  user,
  uid,
  groups = [],
  extra = {},
}: Impersonation): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "impersonate-user": printable("user", user) };
  if (uid !== undefined) headers["impersonate-uid"] = printable("uid", uid);
  if (groups.length > 0) headers["impersonate-group"] = groups.map((group) => printable("group", group));
  for (const [key, values] of Object.entries(extra)) {
    headers[`impersonate-extra-${headerName(key)}`] = values.map((value) => printable(`extra ${key}`, value));
  }
  return headers;
}

/** A key may hold what a header's name may not: it is percent-encoded, as client-go does (RFC 9110 5.6.2). */
function headerName(key: string): string {
  return encodeURIComponent(key.toLowerCase())
    .replace(/[()]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
    .toLowerCase();
}

function printable(what: string, value: string): string {
  if (value !== "" && PRINTABLE.test(value)) return value;
  throw new InformerError("usage", `impersonate: the ${what} ${JSON.stringify(value)} cannot be sent in a header`);
}
