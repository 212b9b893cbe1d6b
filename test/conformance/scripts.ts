/** The conformance scripts, by theme. */
import { DIFFERENCES } from "./differences.js";
import { ABSENCES } from "./scripts/absences.js";
import { HANDLERS } from "./scripts/handlers.js";
import { LISTS } from "./scripts/lists.js";
import { METADATA } from "./scripts/metadata.js";
import { RESYNCS } from "./scripts/resyncs.js";
import { SELECTIONS } from "./scripts/selections.js";
import { STOPS } from "./scripts/stops.js";
import { STREAMS } from "./scripts/streams.js";
import { WATCHES } from "./scripts/watches.js";
import type { Script } from "./support/script.js";

const DRAFTS = [LISTS, STREAMS, WATCHES, ABSENCES, HANDLERS, RESYNCS, SELECTIONS, METADATA, STOPS];

export const SCRIPTS: readonly Script[] = DRAFTS.flatMap((drafts) =>
  Object.entries(drafts).map(([name, draft]) => ({ name, ...draft, differs: DIFFERENCES[name] ?? [] })),
);
