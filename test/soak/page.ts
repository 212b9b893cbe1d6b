/** A soak's result as one page: no script, no style sheet, no font from elsewhere. Made from the JSON alone. */
import type { Episode, SoakResult } from "./result.js";
import { figureRows } from "./text.js";

export interface SoakDocument extends SoakResult {
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
}

type Point = readonly [atMs: number, value: number];

interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

const WIDTH = 860;
const HEIGHT = 190;
const LEFT = 56;
const BOTTOM = 24;
const TOP = 8;
/** More points than this are of no use to the eye: the largest of each span is drawn. */
const MAX_POINTS = 400;

export function renderSoakPage(document: SoakDocument): string {
  const { verdicts, figures, problems, episodes, seconds, samples, ranMs, configuration } = document;
  const failed = verdicts.filter(({ passed }) => !passed).length;
  const heading = failed === 0 ? "Nothing was lost" : `${failed} of ${verdicts.length} bars were missed`;
  const settings = Object.entries(configuration).map(([name, value]) => `${name} ${value}`);
  const plots: Plot[] = [
    {
      title: "Staleness outside of faults: the longest of each second",
      unit: "ms",
      lines: [{ name: "from write to handler", points: seconds.map(({ atMs, stalenessMs }) => [atMs, stalenessMs]) }],
    },
    {
      title: "Events handled each second",
      unit: "/s",
      lines: [{ name: "events", points: seconds.map(({ atMs, events }) => [atMs, events]) }],
    },
    {
      title: "Requests each second, of all informers",
      unit: "/s",
      lines: [{ name: "requests", points: seconds.map(({ atMs, requests }) => [atMs, requests]) }],
    },
    {
      title: "Memory after a forced garbage collection",
      unit: "MiB",
      lines: [
        { name: "heap", points: samples.map(({ atMs, heapBytes }) => [atMs, heapBytes / 2 ** 20]) },
        { name: "resident", points: samples.map(({ atMs, rssBytes }) => [atMs, rssBytes / 2 ** 20]) },
        { name: "external", points: samples.map(({ atMs, externalBytes }) => [atMs, externalBytes / 2 ** 20]) },
      ],
    },
    {
      title: "Event loop delay",
      unit: "ms",
      lines: [
        { name: "p99", points: samples.map(({ atMs, loopP99Ms }) => [atMs, loopP99Ms]) },
        { name: "max", points: samples.map(({ atMs, loopMaxMs }) => [atMs, loopMaxMs]) },
      ],
    },
    {
      title: "Open handles",
      unit: "",
      lines: [
        { name: "sockets", points: samples.map(({ atMs, sockets }) => [atMs, sockets]) },
        { name: "timers", points: samples.map(({ atMs, timers }) => [atMs, timers]) },
      ],
    },
    {
      title: "Notifications that wait for handlers",
      unit: "",
      lines: [{ name: "pending", points: samples.map(({ atMs, pending }) => [atMs, pending]) }],
    },
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Soak: ${escapeHtml(heading)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1 class="${failed === 0 ? "passed" : "failed"}">${escapeHtml(heading)}</h1>
<p>${(ranMs / 60_000).toFixed(1)} minutes of ${escapeHtml(document.subject)} against the ${escapeHtml(document.target)}, ${episodes.length} faults. Commit ${escapeHtml(document.commit)}, Node ${escapeHtml(document.node)}, ${escapeHtml(document.machine)}.<br>${escapeHtml(settings.join(", "))}</p>
<table><caption>Bars</caption><tbody>
${verdicts.map(({ what, value, bar, passed }) => `<tr class="${passed ? "passed" : "failed"}"><td>${passed ? "✓" : "✗"}</td><th scope="row">${escapeHtml(what)}</th><td>${escapeHtml(value)}</td><td>${escapeHtml(bar)}</td></tr>`).join("\n")}
</tbody></table>
${problems.length === 0 ? "" : `<h2>What was found</h2><ul>${problems.map((problem) => `<li>${escapeHtml(problem)}</li>`).join("")}</ul>`}
<p>Shaded: a fault and its recovery. Hover to see which.</p>
${plots.map((plot) => renderPlot(plot, ranMs, episodes)).join("\n")}
<table><caption>Figures</caption><tbody>
${figureRows(figures)
  .map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
  .join("\n")}
</tbody></table>
</main>
</body>
</html>
`;
}

function renderPlot({ title, unit, lines }: Plot, ranMs: number, episodes: readonly Episode[]): string {
  const most = niceAbove(Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (atMs: number) => (LEFT + (Math.min(atMs, ranMs) / ranMs) * (WIDTH - LEFT - 8)).toFixed(1);
  const y = (value: number) => (TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const bands = episodes.map(({ fault, startMs, recoveredMs }) => {
    const width = Math.max(1, Number(x(recoveredMs ?? ranMs)) - Number(x(startMs)));
    return `<rect class="fault" x="${x(startMs)}" y="${TOP}" width="${width.toFixed(1)}" height="${HEIGHT - TOP - BOTTOM}"><title>${escapeHtml(fault)}</title></rect>`;
  });
  const rules = [0, 0.5, 1].map(
    (share) =>
      `<line class="rule" x1="${LEFT}" x2="${WIDTH - 8}" y1="${y(most * share)}" y2="${y(most * share)}"/><text x="${LEFT - 6}" y="${Number(y(most * share)) + 4}" text-anchor="end">${label(most * share)}</text>`,
  );
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${x(ranMs * share)}" y="${HEIGHT - 6}" text-anchor="${share === 1 ? "end" : "middle"}">${((ranMs * share) / 60_000).toFixed(1)} min</text>`,
  );
  const paths = lines.map(({ points }, index) => {
    const drawn = thinned(points).map(([atMs, value]) => `${x(atMs)},${y(value)}`);
    return `<polyline class="line-${index}" points="${drawn.join(" ")}"/>`;
  });
  const legend =
    lines.length < 2
      ? ""
      : lines.map(({ name }, index) => `<span class="key-${index}">${escapeHtml(name)}</span>`).join(" ");
  return `<figure><figcaption>${escapeHtml(title)}${unit === "" ? "" : `, ${unit}`} ${legend}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${bands.join("")}${rules.join("")}${times.join("")}${paths.join("")}</svg></figure>`;
}

function thinned(points: readonly Point[]): Point[] {
  const span = Math.ceil(points.length / MAX_POINTS);
  const drawn: Point[] = [];
  for (let at = 0; at < points.length; at += span) {
    const slice = points.slice(at, at + span);
    drawn.push(slice.reduce((most, point) => (point[1] > most[1] ? point : most)));
  }
  return drawn;
}

/** The next of 1, 2, 5, 10, 20, 50 … */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function label(value: number): string {
  return value >= 1000 ? `${value / 1000} k` : String(Math.round(value * 100) / 100);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fff; --faint: #d9dee7; --band: #f3d9b1; --a: #1660c9; --b: #b4430f; --c: #23784b; --bad: #b3121d; --good: #1c7a3f; }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ee; --paper: #14171d; --faint: #333b48; --band: #4d3c1e; --a: #74adff; --b: #ff9c66; --c: #6fce9b; --bad: #ff7b84; --good: #69d391; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 900px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { margin: 0; } h1.passed { color: var(--good); } .failed, h1.failed { color: var(--bad); }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; font-size: 1.1rem; padding-bottom: .3rem; }
th { font-weight: 400; text-align: left; } th, td { border-top: 1px solid var(--faint); padding: .2rem .6rem .2rem 0; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; } figcaption span { font-weight: 400; margin-left: .8rem; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
.rule { stroke: var(--faint); } .fault { fill: var(--band); } polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.line-0 { stroke: var(--a); } .line-1 { stroke: var(--b); } .line-2 { stroke: var(--c); }
.key-0 { color: var(--a); } .key-1 { color: var(--b); } .key-2 { color: var(--c); }
`;
