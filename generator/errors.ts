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
  /** The line itself. */
  readonly text?: string;
}

interface Details {
  /** What was expected, and the way out. */
  readonly hint: string;
  readonly at?: Position;
  readonly cause?: unknown;
  readonly others?: readonly GeneratorError[];
}

export class GeneratorError extends Error {
  override readonly name = "GeneratorError";
  readonly code: FailureCode;
  readonly position: Position | undefined;
  /** What to do about it, without the word "hint". */
  readonly hint: string;
  /** What else was found wrong in the same run. */
  readonly others: readonly GeneratorError[];

  constructor(code: FailureCode, message: string, more: Details) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.position = more.at;
    this.hint = more.hint;
    this.others = more.others ?? [];
  }
}

/** Several errors as one: the first, with the others beside it. */
export function joinErrors(errors: readonly GeneratorError[]): GeneratorError {
  const [first, ...others] = errors;
  const { code, message, position, hint, cause } = first!;
  return new GeneratorError(code, message, {
    hint,
    others,
    cause,
    ...(position === undefined ? {} : { at: position }),
  });
}

export function isGeneratorError(error: unknown): error is GeneratorError {
  return error instanceof Error && error.name === "GeneratorError";
}

export function formatPosition({ file, line, column }: Position): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}
