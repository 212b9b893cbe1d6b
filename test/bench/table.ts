// What a benchmark says: medians, as tables of text and as a chart.

/** What one program measured, as it printed it. */
export type Measured = Readonly<Record<string, unknown>>;

/** Medians by row and by what was measured; what a program does not measure is `undefined`. */
export type Medians = Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;

/** Of every number that a program printed, and of what follows from them. */
export function mediansOf(runs: ReadonlyMap<string, readonly Measured[]>): Medians {
  return Object.fromEntries(
    Array.from(runs, ([row, measured]) => {
      const all = measured.map(withDerived);
      const names = new Set(all.flatMap((one) => Object.keys(one)));
      return [row, Object.fromEntries(Array.from(names, (name) => [name, median(all.map((one) => one[name]))]))];
    }),
  );
}

function withDerived(measured: Measured): Record<string, number> {
  const numbers = Object.fromEntries(Object.entries(measured).filter(([, value]) => typeof value === "number"));
  const of = numbers as Record<string, number>;
  const kibPerObject = (mib: number | undefined) => ((mib ?? Number.NaN) * 1024) / of["count"]!;
  return {
    ...of,
    kibPerObject: kibPerObject(of["settledRssMiB"]! - of["baseRssMiB"]!),
    readKibPerObject: kibPerObject(of["readRssMiB"]! - of["baseRssMiB"]!),
    heldKibPerObject: kibPerObject(of["heldMiB"]),
    peakRatio: of["peakRssMiB"]! / of["settledRssMiB"]!,
  };
}

function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined && !Number.isNaN(value)).sort((a, b) => a! - b!);
  return sorted[sorted.length >> 1];
}

/** Title, what it shows, and by what that is divided. */
type Column = readonly [title: string, name: string, divisor?: number];

const SYNC: readonly Column[] = [
  ["sync ms", "syncMs"],
  ["sync CPU ms", "syncCpuMs"],
];
const LOOP: readonly Column[] = [
  ["loop p99 ms", "loopDelayP99Ms"],
  ["loop max ms", "loopDelayMaxMs"],
];
const MEMORY: readonly Column[] = [
  ["peak MiB", "peakRssMiB"],
  ["settled MiB", "settledRssMiB"],
  ["KiB/object", "kibPerObject"],
  ["held KiB/object", "heldKibPerObject"],
];
const MEMORY_ALONE: readonly Column[] = [
  ...MEMORY,
  ["peak / settled", "peakRatio"],
  ["KiB/object after each was read", "readKibPerObject"],
];
const LATENCY: readonly Column[] = [
  ["p50 ms", "rateP50Ms"],
  ["p99 ms", "rateP99Ms"],
  ["CPU us/event", "rateCpuUsPerEvent"],
];
const PODS: readonly Column[] = [
  ...SYNC,
  ...MEMORY,
  ...LOOP,
  ["get M/s", "getPerSec", 1e6],
  ["index k/s", "byIndexPerSec", 1e3],
  ["namespace k/s", "listNamespacePerSec", 1e3],
  ["selector ms", "selectorMs"],
  ["p50 ms", "rateP50Ms"],
  ["p99 ms", "rateP99Ms"],
  ["burst k/s", "burstEventsPerSec", 1e3],
  ["burst CPU us", "burstCpuUsPerEvent"],
  ["first burst CPU us", "firstBurstCpuUsPerEvent"],
];
const INFORMERS: readonly Column[] = [
  ["informers", "informers"],
  ...SYNC,
  ["KiB each", "rssKiBPerInformer"],
  ["held KiB each", "heldKiBPerInformer"],
  ["idle CPU ms/s", "idleCpuMsPerSec"],
  ["sockets", "sockets"],
];
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  latency: LATENCY,
  memory: MEMORY_ALONE,
  "memory-100000": MEMORY_ALONE,
  "1000000": [...PODS, ["cold get p99 ms", "coldGetP99Ms"]],
  relist: [
    ["same: ms", "relistMs"],
    ["CPU ms", "relistCpuMs"],
    ["peak / settled", "relistPeakRatio"],
    ["loop p99 ms", "relistLoopDelayP99Ms"],
    ["loop max ms", "relistLoopDelayMaxMs"],
    ["all changed: ms", "changedRelistMs"],
    ["CPU ms", "changedRelistCpuMs"],
    ["peak / settled", "changedRelistPeakRatio"],
    ["loop p99 ms", "changedRelistLoopDelayP99Ms"],
    ["loop max ms", "changedRelistLoopDelayMaxMs"],
  ],
  gzip: SYNC,
  tls: [
    ...SYNC,
    ...LATENCY.slice(0, 2),
    ["burst CPU us", "burstCpuUsPerEvent"],
    ["first burst CPU us", "firstBurstCpuUsPerEvent"],
  ],
  http1: INFORMERS,
  http2: INFORMERS,
};

/** @param suite decides which columns there are */
export function printTable(suite: string, medians: Medians): string {
  return tableOf(COLUMNS[suite] ?? PODS, medians);
}

/** What matters most, for who reads nothing else. */
export function printSummary(medians: Medians): string {
  const columns: readonly Column[] = [
    ["CPU for an event, us", "burstCpuUsPerEvent"],
    ["CPU for the first sync, ms", "syncCpuMs"],
    ["memory for an object, KiB", "kibPerObject"],
  ];
  return tableOf(columns, Object.fromEntries(Object.entries(medians).filter(([row]) => !row.startsWith("limit"))));
}

function tableOf(columns: readonly Column[], medians: Medians): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["", ...columns.map(([title]) => title)]),
    line(["---", ...columns.map(() => "---:")]),
    ...Object.entries(medians).map(([row, values]) =>
      line([row, ...columns.map(([, name, divisor = 1]) => shown(values[name], divisor))]),
    ),
  ].join("\n");
}

export function shown(value: number | undefined, divisor = 1): string {
  if (value === undefined) return "–";
  const scaled = value / divisor;
  if (Number.isInteger(scaled) || scaled >= 100) return Math.round(scaled).toLocaleString("en");
  return scaled >= 10 ? scaled.toFixed(1) : scaled.toFixed(2);
}

/** Bars of what an event and an object cost, one group for each. */
export function drawChart(medians: Medians): string {
  const groups: readonly Column[] = [
    ["CPU for an event, microseconds", "burstCpuUsPerEvent"],
    ["CPU for the first sync, milliseconds", "syncCpuMs"],
    ["memory for an object, KiB", "kibPerObject"],
  ];
  const rows = Object.entries(medians);
  const [width, bar, label] = [720, 18, 190];
  const groupHeight = rows.length * bar + 44;
  const parts: string[] = [];
  for (const [g, [title, name]] of groups.entries()) {
    const most = Math.max(...rows.map(([, values]) => values[name] ?? 0), Number.MIN_VALUE);
    const top = g * groupHeight + 20;
    parts.push(`<text x="0" y="${top}" font-weight="bold">${title}</text>`);
    for (const [r, [row, values]] of rows.entries()) {
      const value = values[name];
      if (value === undefined) continue;
      const y = top + 8 + r * bar;
      const length = ((width - label - 70) * value) / most;
      const colour = row.startsWith("project") ? "#2b6cb0" : row.startsWith("limit") ? "#a0aec0" : "#dd6b20";
      parts.push(
        `<text x="0" y="${y + 12}">${row}</text>`,
        `<rect x="${label}" y="${y}" width="${length.toFixed(1)}" height="${bar - 4}" fill="${colour}"/>`,
        `<text x="${(label + length + 6).toFixed(1)}" y="${y + 12}">${shown(value)}</text>`,
      );
    }
  }
  const height = groups.length * groupHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>What an event, the first sync and an object cost each of those measured</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
