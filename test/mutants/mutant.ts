/** A bug that is put into the runtime on purpose: tests that do not notice it would not notice it in earnest. */

export interface Mutant {
  /** A sentence: what the runtime does wrong then. */
  readonly bug: string;
  /** Under runtime/, without its ending: `cache/controller`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly becomes: string;
  /** Files under test/, without their ending, of which a test is to fail. */
  readonly killedBy: readonly string[];
}

type Draft = Pick<Mutant, "bug" | "text" | "becomes"> & Partial<Pick<Mutant, "killedBy">>;

/** Of one file of the runtime. Who kills is, unless said, the test file of the same name. */
export function mutantsOf(file: string, drafts: readonly Draft[]): Mutant[] {
  return drafts.map((draft) => ({ file, killedBy: [file], ...draft }));
}

/** The file's text with the bug in it. @throws Error that names the mutant when its text is not there, or not alone */
export function mutated(source: string, { bug, file, text, becomes }: Mutant): string {
  const found = source.split(text).length - 1;
  if (found !== 1) {
    throw new Error(
      `"${bug}": its text stands in runtime/${file}.ts ${found} times, not once; mend it in test/mutants:\n${text}`,
    );
  }
  // A function, so that `$&` and its like mean nothing.
  return source.replace(text, () => becomes);
}
