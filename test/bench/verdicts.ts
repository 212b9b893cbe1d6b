// What is asked of the project, and whether a run reached it. Everything that depends on the machine is asked as a ratio.
import { ON_NODE_24 } from "./suites.js";
import { type Medians, shown } from "./table.js";

/** Medians by suite. */
export type Results = Readonly<Record<string, Medians>>;

interface Claim {
  readonly asked: string;
  /** Whether what was measured is to be at most the limit, or at least. */
  readonly is: "≤" | "≥";
  readonly limit: number;
  /** `undefined` where a row is missing: without `--peers`, there is nothing to compare with. */
  readonly of: (results: Results) => number | undefined;
}

export interface Verdict {
  readonly asked: string;
  readonly limit: string;
  readonly value: string;
  readonly reached: boolean | undefined;
  /** The same with programs of Node on Node 24, and what does not run there as it was. */
  readonly onNode24: Pick<Verdict, "value" | "reached">;
}

type Of = Claim["of"];
const value =
  (suite: string, row: string, name: string): Of =>
  (results) =>
    results[suite]?.[row]?.[name];
const quotient =
  (above: Of, below: Of): Of =>
  (results) => {
    const [a, b] = [above(results), below(results)];
    return a === undefined || b === undefined ? undefined : a / b;
  };
/** The best of those that there are. */
const least =
  (...all: readonly Of[]): Of =>
  (results) => {
    const values = all.map((of) => of(results)).filter((one) => one !== undefined);
    return values.length === 0 ? undefined : Math.min(...values);
  };

const SMALL = "10000";
const LARGE = "100000";
/** Of the same objects, where memory is read after a while. */
const MEMORY = { [SMALL]: "memory", [LARGE]: "memory-100000" } as const;
const asked = (text: string, is: Claim["is"], limit: number, of: Of): Claim => ({ asked: text, is, limit, of });
/** Of one row to another of the same suite. */
const ratio = (suite: string, what: string, name: string, row: string, other: string, limit: number): Claim =>
  asked(
    `${row}: ${what} to that of ${other}${suite === LARGE ? ", 100,000 objects" : ""}`,
    "≤",
    limit,
    quotient(value(suite, row, name), value(suite, other, name)),
  );

const EVENT = ["CPU for an event", "burstCpuUsPerEvent"] as const;
const SYNC = ["CPU for the sync", "syncCpuMs"] as const;
const READING = ["project objects", "project dynamic"];
const MODES = ["project keys", ...READING];
const PEERS = ["client-go protobuf", "client-go JSON", "kube-rs", "client-node"];

const CLAIMS: readonly Claim[] = [
  ratio(SMALL, ...EVENT, "project keys", "limit raw", 1.3),
  ratio(SMALL, ...EVENT, "project keys", "client-go protobuf", 0.4),
  ratio(SMALL, ...EVENT, "project keys", "kube-rs", 0.35),
  ratio(SMALL, ...EVENT, "project keys", "client-node", 0.35),
  ratio(SMALL, ...EVENT, "project keys", "client-go dynamic", 0.06),
  ratio(SMALL, ...SYNC, "project keys", "limit raw", 1.5),
  ...READING.flatMap((row) => [
    ratio(SMALL, ...EVENT, row, "limit parse", 1),
    ratio(SMALL, ...EVENT, row, "client-node", 0.8),
    ratio(SMALL, ...SYNC, row, "limit parse", 1.1),
  ]),
  ratio(SMALL, ...EVENT, "project objects, no managedFields", "client-go protobuf", 0.95),
  ...([SMALL, LARGE] as const).flatMap((suite) => {
    const kib = (text: string, limit: number, row: string, name: string) =>
      asked(
        `${row}: KiB an object${text}, ${Number(suite).toLocaleString("en")} objects`,
        "≤",
        limit,
        value(MEMORY[suite], row, name),
      );
    return [
      kib("", 5, "project keys, no managedFields", "kibPerObject"),
      kib(", held", 5, "project keys, no managedFields", "heldKibPerObject"),
      kib("", 7, "project keys", "kibPerObject"),
      kib(", held", 7, "project keys", "heldKibPerObject"),
      kib(" after each was read once", 7, "project keys, bytes", "readKibPerObject"),
      ...MODES.map((row) =>
        asked(
          `${row}: peak of the first sync to settled, ${Number(suite).toLocaleString("en")} objects`,
          "≤",
          1.3,
          value(MEMORY[suite], row, "peakRatio"),
        ),
      ),
    ];
  }),
  ratio(MEMORY[SMALL], "memory for an object", "kibPerObject", "project objects", "client-node", 0.7),
  ...MODES.flatMap((row) => [
    asked(`${row}: peak of a relist to settled`, "≤", 1.3, value("relist", row, "relistPeakRatio")),
    asked(
      `${row}: peak of a relist where all changed to settled`,
      "≤",
      1.3,
      value("relist", row, "changedRelistPeakRatio"),
    ),
  ]),
  ratio(LARGE, "time for the sync", "syncMs", "project keys", "client-go protobuf", 0.2),
  ratio(LARGE, "peak memory", "peakRssMiB", "project keys", "client-go protobuf", 0.4),
  ratio(LARGE, "peak memory", "peakRssMiB", "project keys, no managedFields", "client-go protobuf", 0.4),
  ...MODES.flatMap((row) => {
    const grown = (what: string, name: string, times: number, [large, small] = [LARGE, SMALL] as [string, string]) =>
      asked(`${row}: ${what} at 100,000 to that at 10,000`, "≤", 1.15, (results) => {
        const growth = quotient(value(large, row, name), value(small, row, name))(results);
        return growth === undefined ? undefined : growth / times;
      });
    return [
      grown("CPU for the sync of an object", "syncCpuMs", 10),
      grown("memory for an object", "kibPerObject", 1, [MEMORY[LARGE], MEMORY[SMALL]]),
    ];
  }),
  asked("1,000,000 slim pods: MiB resident once synced", "≤", 1536, value("1000000", "project keys", "settledRssMiB")),
  asked(
    "1,000,000 slim pods: p99 of the first get of each, ms",
    "≤",
    1,
    value("1000000", "project keys", "coldGetP99Ms"),
  ),
  asked("1,000,000 slim pods: events a second", "≥", 100_000, value("1000000", "project keys", "burstEventsPerSec")),
  ...MODES.flatMap((row) =>
    (
      [
        ["the sync of 100,000", LARGE, "loopDelay"],
        ["a relist of 100,000", "relist", "relistLoopDelay"],
        ["a relist of 100,000 that all changed", "relist", "changedRelistLoopDelay"],
      ] as const
    ).flatMap(([during, suite, name]) => [
      asked(`${row}: loop delay in ${during}, p99 ms`, "≤", 15, value(suite, row, `${name}P99Ms`)),
      asked(`${row}: loop delay in ${during}, longest ms`, "≤", 50, value(suite, row, `${name}MaxMs`)),
    ]),
  ),
  ...[
    [SMALL, "500"],
    ["latency", "2,000"],
  ].flatMap(([suite, perSecond]) =>
    MODES.flatMap((row) =>
      ["50", "99"].map((p) => {
        const of = (name: string) => value(suite!, name, `rateP${p}Ms`);
        const best = least(...PEERS.map(of));
        return asked(
          `${row}: p${p} at ${perSecond} events/s to the best of the others`,
          "≤",
          1,
          quotient(of(row), best),
        );
      }),
    ),
  ),
  ...MODES.map((row) =>
    asked(
      `${row}: get, rate to that of client-go`,
      "≥",
      1,
      quotient(value(SMALL, row, "getPerSec"), value(SMALL, "client-go protobuf", "getPerSec")),
    ),
  ),
  ...READING.map((row) =>
    asked(
      `${row}: byIndex of 20 rows, rate to that of client-go`,
      "≥",
      1,
      quotient(value(SMALL, row, "byIndexPerSec"), value(SMALL, "client-go protobuf", "byIndexPerSec")),
    ),
  ),
  asked("100 informers: sockets", "≤", 1, value("http2", "100 informers", "sockets")),
];

/** In the order of the claims. */
export function judge(results: Results): Verdict[] {
  const newer = results[ON_NODE_24];
  const onNode24: Results = newer === undefined ? {} : { [SMALL]: { ...results[SMALL], ...newer } };
  return CLAIMS.map(({ asked: text, is, limit, of }) => {
    const verdict = (measured: number | undefined) => ({
      value: shown(measured),
      reached: measured === undefined ? undefined : is === "≤" ? measured <= limit : measured >= limit,
    });
    return { asked: text, limit: `${is} ${shown(limit)}`, ...verdict(of(results)), onNode24: verdict(of(onNode24)) };
  });
}

export function printVerdicts(verdicts: readonly Verdict[]): string {
  return [
    "| asked | limit | measured | | on Node 24 | |",
    "| --- | ---: | ---: | --- | ---: | --- |",
    ...verdicts.map(({ asked: text, limit, value: measured, reached, onNode24 }) => {
      const newer = onNode24.reached === undefined ? "" : word(onNode24.reached);
      return `| ${text} | ${limit} | ${measured} | ${word(reached)} | ${onNode24.value} | ${newer} |`;
    }),
  ].join("\n");
}

function word(reached: boolean | undefined): string {
  return reached === undefined ? "not measured" : reached ? "reached" : "**missed**";
}
