/** The figures of a soak as rows of text, for the terminal and for the page. */
import type { Distribution, Figures, Memory } from "./result.js";

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

function spread({ count, p50, p99, max }: Distribution): string {
  return `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} (${count})`;
}

function memory({ startBytes, endBytes, slopeMiBPerHour }: Memory): string {
  const growth =
    slopeMiBPerHour === undefined
      ? ""
      : `, ${slopeMiBPerHour.perHour.toFixed(2)} ± ${slopeMiBPerHour.plusMinus.toFixed(2)} MiB/h`;
  return `${mib(startBytes)} → ${mib(endBytes)}${growth}`;
}

export function figureRows(figures: Figures): [name: string, value: string][] {
  const { requests, handles, loopDelayMs } = figures;
  const { before, after, most } = handles;
  return [
    ["writes", String(figures.writes)],
    ["events handled", String(figures.events)],
    ["comparisons at rest", String(figures.comparisons)],
    ["requests: streaming lists, lists, pages", `${requests.watchList}, ${requests.list}, ${requests.page}`],
    ["requests: watches, probes", `${requests.watch}, ${requests.probe}`],
    [
      "most requests of an informer in 1, 10, 60 s",
      `${requests.mostIn1s}, ${requests.mostIn10s}, ${requests.mostIn60s}`,
    ],
    ["heap after collection", memory(figures.heap)],
    ["resident memory", memory(figures.rss)],
    ["external memory", memory(figures.external)],
    ["sockets before, most, after", `${before.sockets}, ${most.sockets}, ${after.sockets}`],
    ["timers before, most, after", `${before.timers}, ${most.timers}, ${after.timers}`],
    [
      "file descriptors before, most, after",
      `${before.fileDescriptors}, ${most.fileDescriptors}, ${after.fileDescriptors}`,
    ],
    ["event loop delay", `p50 ${ms(loopDelayMs.p50)}, p99 ${ms(loopDelayMs.p99)}, max ${ms(loopDelayMs.max)}`],
    ["event loop busy", `${(figures.loopBusy * 100).toFixed(0)} %`],
    ["processor time for a million events", `${figures.cpuSecondsPerMillionEvents.toFixed(0)} s`],
    ["most notifications that waited", String(figures.pendingMost)],
    ["changes told together", String(figures.coalesced)],
    ["stop", spread(figures.stopMs)],
    ...Object.entries(figures.stalenessMs).map(([fault, each]): [string, string] => [
      `staleness: ${fault}`,
      spread(each),
    ]),
    ...Object.entries(figures.recoveryMs).map(([fault, each]): [string, string] => [
      `recovery: ${fault}`,
      spread(each),
    ]),
    ...Object.entries(figures.reported).map(([code, count]): [string, string] => [`reported: ${code}`, String(count)]),
  ];
}
