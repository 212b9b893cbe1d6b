/** Where a run says what it does. cli.ts decides what becomes of it. */
export interface Progress {
  /** A new step begins. */
  step(text: string): void;
  /** The same step goes on: of interest to who is watching. */
  detail(text: string): void;
  warn(text: string): void;
}
