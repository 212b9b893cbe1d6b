/** What works and should be looked at all the same. Counterpart: `WarningHandler` of client-go's rest/warnings.go. */
import { redact } from "../api/redact.js";

/**
 * - `server` the API server says so in a `Warning` header, as of a version that is deprecated
 * - `insecure` the server's certificate is not verified
 * - `certificate` the client's certificate expires within a week
 * - `credential` credentials could not be read anew, and those from before serve on
 */
export type InformerWarningCode = "server" | "insecure" | "certificate" | "credential";

export interface InformerWarning {
  readonly code: InformerWarningCode;
  /** Can be logged as it is: without control characters, and without what looks like a secret. */
  readonly message: string;
}

/** Longest text that is told, in characters. */
const MAX_CHARACTERS = 1024;
/** A server that makes up a new text each time is not listened to for ever. */
const MAX_TEXTS = 256;

/** Tells each text once. */
export class Warnings {
  readonly #onWarning: (warning: InformerWarning) => void;
  readonly #told = new Set<string>();

  constructor(onWarning: (warning: InformerWarning) => void) {
    this.#onWarning = onWarning;
  }

  tell(code: InformerWarningCode, text: string): void {
    const message = redact(text.slice(0, MAX_CHARACTERS)).replaceAll("\n", " ");
    if (this.#told.has(message) || this.#told.size >= MAX_TEXTS) return;
    this.#told.add(message);
    try {
      this.#onWarning({ code, message });
    } catch {
      // A request does not fail because somebody could not be told of something that is no failure.
    }
  }
}

/** One of the values of a `Warning` header: code, agent, quoted text, and a date that nobody sends (RFC 7234 5.5). */
const WARNING_VALUE = /(\d{3}) [^\s"]+ "((?:[^"\\]|\\.)*)"(?: "[^"]*")?/gy;
const SEPARATOR = /\s*,\s*/gy;

/** Texts of a `Warning` header. Kubernetes sends code 299 alone; anything that is malformed ends the reading. */
export function parseWarnings(header: string | string[] | undefined): string[] {
  const texts: string[] = [];
  for (const line of header === undefined ? [] : [header].flat()) {
    let at = 0;
    for (;;) {
      WARNING_VALUE.lastIndex = at;
      const found = WARNING_VALUE.exec(line);
      if (found === null) break;
      if (found[1] === "299") texts.push((found[2] ?? "").replace(/\\(.)/g, "$1"));
      SEPARATOR.lastIndex = WARNING_VALUE.lastIndex;
      if (!SEPARATOR.test(line)) break;
      at = SEPARATOR.lastIndex;
    }
  }
  return texts;
}
