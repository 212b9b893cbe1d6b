// What a benchmark run says: medians as a table of text, and as a chart.

/** What one program measured, as it printed it. */
export type Measured = Readonly<Record<string, unknown>>;

interface Column {
  readonly title: string;
  readonly of: (measured: Measured) => number;
}

const plain =
  (name: string, scale = 1) =>
  (measured: Measured) =>
    Number(measured[name]) / scale;

const COLUMNS: readonly Column[] = [
  { title: "sync ms", of: plain("syncMs") },
  { title: "sync CPU ms", of: plain("syncCpuMs") },
  { title: "peak MiB", of: plain("peakRssMiB") },
  {
    title: "KiB/object",
    of: (m) => ((Number(m["settledRssMiB"]) - Number(m["baseRssMiB"])) * 1024) / Number(m["count"]),
  },
  { title: "loop p99 ms", of: plain("loopDelayP99Ms") },
  { title: "loop max ms", of: plain("loopDelayMaxMs") },
  { title: "get M/s", of: plain("getPerSec", 1e6) },
  { title: "index k/s", of: plain("byIndexPerSec", 1e3) },
  { title: "p50 ms", of: plain("rateP50Ms") },
  { title: "p99 ms", of: plain("rateP99Ms") },
  { title: "burst k/s", of: plain("burstEventsPerSec", 1e3) },
  { title: "burst CPU us", of: plain("burstCpuUsPerEvent") },
];

/** Medians by row and column; what a program does not measure is `undefined`. */
export type Medians = Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;

export function mediansOf(runs: ReadonlyMap<string, readonly Measured[]>): Medians {
  return Object.fromEntries(
    Array.from(runs, ([row, measured]) => [
      row,
      Object.fromEntries(COLUMNS.map(({ title, of }) => [title, median(measured.map(of))])),
    ]),
  );
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

export function printTable(medians: Medians): string {
  const cells = (row: string, of: (title: string) => string) =>
    `| ${row} | ${COLUMNS.map(({ title }) => of(title)).join(" | ")} |`;
  return [
    cells("client", (title) => title),
    cells("---", () => "---:"),
    ...Object.entries(medians).map(([row, values]) => cells(row, (title) => shown(values[title]))),
  ].join("\n");
}

function shown(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** Bars of what an event and an object cost, one group for each. */
export function drawChart(medians: Medians): string {
  const groups = ["burst CPU us", "sync CPU ms", "KiB/object"];
  const rows = Object.entries(medians);
  const [width, bar, label] = [720, 18, 190];
  const groupHeight = rows.length * bar + 44;
  const parts: string[] = [];
  for (const [g, title] of groups.entries()) {
    const most = Math.max(...rows.map(([, values]) => values[title] ?? 0), Number.MIN_VALUE);
    const top = g * groupHeight + 20;
    parts.push(`<text x="0" y="${top}" font-weight="bold">${title}</text>`);
    for (const [r, [row, values]] of rows.entries()) {
      const value = values[title];
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
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
