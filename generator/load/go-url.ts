/** URLs as Go's `net/url` reads them, which decides where a server takes one; the URL of the Web is more forgiving. */

export interface GoUrl {
  /** In lower case; empty where there is none. */
  readonly scheme: string;
  readonly host: string;
  readonly hasUser: boolean;
  readonly query: string;
  readonly fragment: string;
}

/** @param isRequest as `ParseRequestURI`: absolute, or a path from the root, and without a fragment */
export function parseGoUrl(text: string, isRequest = false): GoUrl | undefined {
  if (hasControlCharacter(text) || (isRequest && text === "")) return undefined;
  const [whole, fragment = ""] = isRequest ? [text] : cut(text, "#");
  if (whole!.startsWith(":")) return undefined;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(whole!)?.[1] ?? "";
  const [rest = "", query = ""] = cut(scheme === "" ? whole! : whole!.slice(scheme.length + 1), "?");
  const url = { scheme: scheme.toLowerCase(), host: "", hasUser: false, query, fragment };
  if (!isEscaped(fragment)) return undefined;
  if (!rest.startsWith("/")) {
    if (scheme !== "" || rest === "*") return url;
    return isRequest || rest.split("/")[0]!.includes(":") || !isEscaped(rest) ? undefined : url;
  }
  if (!rest.startsWith("//") || (scheme === "" && (isRequest || rest.startsWith("///")))) {
    return isEscaped(rest) ? url : undefined;
  }
  const authority = /^[^/]*/.exec(rest.slice(2))![0];
  const at = authority.lastIndexOf("@");
  const [user, host] = [authority.slice(0, Math.max(at, 0)), authority.slice(at + 1)];
  const isRead = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) && isEscaped(user) && isHost(host);
  return isRead && isEscaped(rest.slice(2 + authority.length)) ? { ...url, host, hasUser: at >= 0 } : undefined;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\x7f");
}

function cut(text: string, separator: string): [before: string, after?: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function isEscaped(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text);
}

function isHost(host: string): boolean {
  const [, address, port] = host.startsWith("[")
    ? (/^\[([^\]]*)\](.*)$/.exec(host) ?? [])
    : (/^([^:]*)(.*)$/.exec(host) ?? []);
  if (address === undefined || !/^(?::\d*)?$/.test(port!)) return false;
  // An escape stands for what is not ASCII, or for the percent of a zone.
  return /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"]|[^\0-\x7f]|%25|%[89A-Fa-f][0-9A-Fa-f])*$/.test(address);
}
