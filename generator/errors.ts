/** What ends a run. The exit code says whose move is next: the caller's arguments, the input, the cluster, the output folder. */

export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  input: 3,
  cluster: 4,
  limit: 5,
  output: 6,
  drift: 7,
  interrupted: 130,
} as const;

export type FailureCode = Exclude<keyof typeof exitCodes, "done" | "bug" | "interrupted">;

/** A place in a source: `mycrd.yaml:31:9`. Line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export class GeneratorError extends Error {
  override readonly name = "GeneratorError";
  readonly code: FailureCode;
  readonly position: Position | undefined;
  /** What to do about it, without the word "hint". */
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, more: { at?: Position; hint?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.position = more.at;
    this.hint = more.hint;
  }
}

export function isGeneratorError(error: unknown): error is GeneratorError {
  return error instanceof Error && error.name === "GeneratorError";
}

export function formatPosition({ file, line, column }: Position): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}
