/**
 * The one place that decides what may be shown. Every message of an error or a warning goes through here, whoever wrote it: a
 * server, a proxy, a credential plugin or a library. Nothing in client-go corresponds.
 */

const REDACTED = "[redacted]";

/** What is a secret wherever it stands, by its shape. */
const SECRETS: readonly (readonly [shape: RegExp, shown: string])[] = [
  // A certificate or key. One that is cut off has no end.
  [/-----BEGIN [A-Z ]+-----[^-]*(?:-----END [A-Z ]+-----)?/g, REDACTED],
  // A JSON Web Token (RFC 7519) is three parts of base64url; the first is an object: `{"` is "eyJ".
  [/eyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g, REDACTED],
  // PEM and Status objects in base64, as in a kubeconfig.
  [/LS0tLS1CRUdJT[\w+/=]+/g, REDACTED],
  [/\b(Bearer|Basic) +[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
  [/(:\/\/)[^\s/@"']+@/g, `$1${REDACTED}@`],
  [/([?&](?:access_token|id_token|token|password|secret)=)[^\s&"']+/gi, `$1${REDACTED}`],
  // `JSON.parse` quotes what it could not read, which may be the data of a Secret.
  [/, (?:\.\.\.)?".* is not valid JSON/gs, " is not valid JSON"],
];

/** Control characters, terminal sequences among them, and what changes the direction or the end of a line. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Without what looks like a secret, and with what cannot be seen as `\uXXXX`. Line breaks and tabs stay. */
export function redact(text: string): string {
  const open = SECRETS.reduce((shown, [shape, replacement]) => shown.replace(shape, replacement), text);
  return open.replace(INVISIBLE, (char) =>
    char === "\n" || char === "\t" ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Output of a program that handles secrets: any long word may be one. */
export function redactOutput(text: string): string {
  return redact(text).replace(/[\w+=-]{24,}/g, REDACTED);
}
