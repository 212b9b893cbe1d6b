/** What the outcome of a script must hold for its name to be true: a script in which nothing happens would be equal to anything. */
import type { Outcome } from "./support/script.js";

/** Of client-go and of ours together. */
interface Seen {
  readonly outcomes: readonly Outcome[];
  /** Requests, calls as `h: add a@101 initial`, and `store: a@101 uid-a`. */
  readonly text: string;
}

export function seenOf(...outcomes: readonly Outcome[]): Seen {
  const lines = outcomes.flatMap(({ requests, handlers, store }) => [
    ...requests,
    ...Object.entries(handlers).flatMap(([name, log]) => log.map((event) => `${name}: ${event}`)),
    ...store.map((object) => `store: ${object}`),
  ]);
  return { outcomes, text: lines.join("\n") };
}

type Rule = (seen: Seen) => boolean;

const has =
  (...patterns: readonly RegExp[]): Rule =>
  ({ text }) =>
    patterns.every((pattern) => pattern.test(text));
const each =
  (holds: (outcome: Outcome) => boolean): Rule =>
  ({ outcomes }) =>
    outcomes.every(holds);
const requests = (least: number, verb = /./): Rule =>
  each((outcome) => outcome.requests.filter((request) => verb.test(request)).length >= least);
const keysOf = (log: readonly string[]) => new Set(log.map((event) => /(\S+)@/.exec(event)?.[1]));
const synced = (is: boolean): Rule => each((outcome) => outcome.synced === is);

/** By what the name says; each that fits a name must hold. */
const RULES: readonly (readonly [name: RegExp, shows: Rule])[] = [
  [/tombstone/, has(/: tombstone /)],
  [/everything went/, each(({ store }) => store.length === 0)],
  [/adds? of the initial list|many objects/, has(/: add a@101 initial/)],
  [/^an empty|empty cache|without an object/, each(({ synced: is, store }) => is && store.length === 0)],
  [/resync(?! leaves)|by a resync/, has(/: update (\S+)@(\d+)→\2$/m)],
  [/leaves out who/, each(({ handlers }) => handlers["never"]?.length === 1)],
  [/in pages|continue token|second page|third page/, has(/continue=/)],
  [/exactly one page|is one list/, each(({ store }) => store.length === 3)],
  [/compaction|expire|is gone (in|without)/, requests(2, /^(watchList|list)/)],
  [/metadata/, requests(1, / metadata /)],
  [/label selector/, requests(1, /labelSelector=app=yes/)],
  [/field selector/, requests(1, /fieldSelector=metadata.name!=hidden/)],
  [/one namespace/, requests(1, / in x /)],
  [/two namespaces/, has(/: add x\/a/, /: add y\/a/)],
  [/index/, each(({ index }) => Object.keys(index ?? {}).length > 0)],
  [/^a transform/, each(({ store }) => store.length > 0 && !store.some((object) => object.includes("note=")))],
  [/without a transform/, has(/^store: .*note=/m)],
  [/made again|after it was deleted|deleted twice/, has(/: (add|update) a@(101→)?(?!101)\d+/)],
  [
    /handlers? that comes? (?!late to an empty)|comes again|another comes|came late/,
    has(/^(?!h:)\w+: add .* initial$/m),
  ],
  [
    /^(?!a stop).*removed(?! twice)/,
    ({ outcomes }) => outcomes.every(({ handlers }) => differ(Object.values(handlers))),
  ],
  [/removed twice/, has(/^h: update a/m)],
  [/two handlers|handlers that|one after another/, each(({ handlers }) => Object.keys(handlers).length > 1)],
  [/filter/, each(({ handlers, store }) => differ(Object.values(handlers)) || isFiltered(handlers["h"] ?? [], store))],
  [/^a stop (before|in the back-off (before|after)|while the|within|in the middle)/, synced(false)],
  [/^a (second )?stop (while (watching|a)|after|in the back-off of)|^a second stop/, synced(true)],
  [/back-off (before|after)/, requests(1)],
  [/back-off of a watch|between a compaction/, requests(2)],
  [/^a stop (while (watching|a relist|a resumed)|after)|^a second stop/, has(/: add a@101 initial/)],
  [/stays open|ends twice/, has(/^list limit=500/m)],
  [/three times/, requests(4)],
  [
    /(is|are) (throttled|unauthorized|forbidden|refused|reset|answered)|not (found|available|JSON)|bad request|internal error|times out|too large|that ends|(?<!h)as expired/,
    requests(2),
  ],
  [/resumed|next watch begins|what was missed/, requests(2)],
  [/within a line/, requests(2)],
  [/goes back|is older/, has(/@101→50|resourceVersion=50|→101$/m)],
  [/without a resourceVersion/, requests(2)],
  [/of the last change/, has(/: (update a@101→101|delete a@101)$/m)],
  [/ahead of every event/, has(/^watch .*resourceVersion=104$/m)],
  [/^many changes|^changes|an update$/, has(/: update a@\d+→\d+/)],
  [/^an object that comes and goes|deletion within|a deletion while/, has(/: delete /)],
  [/contains a modification|behind its bookmark|an object twice/, has(/: (add|update) a@(91|90→96|103|101 initial)/)],
  [/contains a deletion/, has(/: add b@91 initial/)],
  [/annotation is false|two end bookmarks/, has(/: add a@90 initial/)],
  [/never known/, has(/: delete z@/)],
  [/unknown object is an add/, has(/: add z@/)],
  [/unknown type/, requests(1)],
  [/added event/, has(/: (update|add) a@(101→)?10\d/)],
  [/blank lines/, has(/: update a@101→/)],
  [/came and went is not told/, ({ text }) => !text.includes("d@")],
  [/nothing changed|a change is an update/, has(/: update (\S+)@\d+→\d+/)],
];

function isFiltered(log: readonly string[], store: readonly string[]): boolean {
  const told = keysOf(log);
  return (
    log.some((event) => /^(delete|tombstone) /.test(event)) || store.some((object) => !told.has(object.split("@")[0]))
  );
}

function differ(logs: readonly (readonly string[])[]): boolean {
  return new Set(logs.map((log) => JSON.stringify(log))).size > 1;
}

/** What the name says and the outcomes do not show; nothing is said of a name that fits no rule. */
export function missingOf(name: string, seen: Seen): readonly string[] {
  const fitting = RULES.filter(([pattern]) => pattern.test(name));
  if (fitting.length === 0) return ["a rule for its name"];
  return fitting.filter(([, shows]) => !shows(seen)).map(([pattern]) => String(pattern));
}
