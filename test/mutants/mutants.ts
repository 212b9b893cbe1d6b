/** All seeded bugs. `npm run mutants` looks that each of them makes a test fail. */
import { CACHING } from "./caching.js";
import { HANDLING } from "./handling.js";
import { JUDGED } from "./judges.js";
import type { Mutant } from "./mutant.js";
import { NAMING } from "./naming.js";
import { QUEUEING } from "./queueing.js";
import { READING } from "./reading.js";
import { TRANSPORT } from "./transport.js";

export const MUTANTS: readonly Mutant[] = [
  ...READING,
  ...QUEUEING,
  ...CACHING,
  ...HANDLING,
  ...TRANSPORT,
  ...NAMING,
  ...JUDGED,
];
