/** What a soak found, as it is written to a file, and which of it has to be so. */
import { quantile, type Slope } from "./figures.js";
import type { Handles, Sample } from "./protocol.js";

export interface Episode {
  readonly fault: string;
  readonly startMs: number;
  liftedMs: number | undefined;
  /** When every prompt handler had been told of what was written after the fault was lifted. */
  recoveredMs: number | undefined;
  /** When handlers and caches were compared after it, recovered or not. */
  closedMs: number | undefined;
}

export interface SecondFacts {
  readonly atMs: number;
  /** The longest of what was told in this second, outside of faults. */
  readonly stalenessMs: number;
  readonly events: number;
  readonly requests: number;
  readonly connections: number;
}

export interface Distribution {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Memory {
  readonly startBytes: number;
  readonly endBytes: number;
  /** After a warm-up of a quarter of the run. */
  readonly slopeMiBPerHour: Slope | undefined;
}

export interface Figures {
  readonly writes: number;
  readonly events: number;
  readonly comparisons: number;
  readonly lostAtRest: number;
  readonly lostLive: number;
  readonly phantoms: number;
  readonly duplicates: number;
  readonly orderBreaks: number;
  readonly brokenBytes: number;
  readonly brokenProcess: number;
  readonly refusedWrites: number;
  readonly notRecovered: number;
  /** From the write to the handler's call, by the fault that was between. */
  readonly stalenessMs: Readonly<Record<string, Distribution>>;
  /** From the end of a fault until everybody is up to date. */
  readonly recoveryMs: Readonly<Record<string, Distribution>>;
  readonly heap: Memory;
  readonly rss: Memory;
  readonly external: Memory;
  readonly handles: { readonly before: Handles; readonly after: Handles; readonly most: Handles };
  readonly requests: {
    readonly list: number;
    readonly page: number;
    readonly watch: number;
    readonly watchList: number;
    readonly probe: number;
    /** Of one informer, in any span. */
    readonly mostIn1s: number;
    readonly mostIn10s: number;
    readonly mostIn60s: number;
  };
  /** The median over all samples of what a sample's span had. */
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly loopBusy: number;
  readonly cpuSecondsPerMillionEvents: number;
  readonly pendingMost: number;
  readonly coalesced: number;
  readonly stopMs: Distribution;
  /** How often each kind of failure was reported. */
  readonly reported: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly what: string;
  readonly value: string;
  readonly bar: string;
  readonly passed: boolean;
}

export interface SoakResult {
  readonly subject: string;
  readonly target: string;
  readonly configuration: Readonly<Record<string, number>>;
  readonly ranMs: number;
  readonly figures: Figures;
  readonly verdicts: readonly Verdict[];
  readonly problems: readonly string[];
  readonly episodes: readonly Episode[];
  readonly seconds: readonly SecondFacts[];
  readonly samples: readonly Sample[];
}

/** A slope is judged of runs that are at least this long. */
const SLOPE_FROM_MS = 20 * 60_000;
const MAX_SLOPE_MIB_PER_HOUR = 0.5;

export function distribution(values: readonly number[]): Distribution {
  return { count: values.length, p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: Math.max(0, ...values) };
}

/** What a soak fails by. Delays depend on the machine, and are reported only. */
export function verdictsOf(figures: Figures, ranMs: number): Verdict[] {
  const none = (what: string, value: number): Verdict => ({
    what,
    value: String(value),
    bar: "0",
    passed: value === 0,
  });
  const most = (what: string, value: number, bar: number): Verdict => ({
    what,
    value: value.toFixed(value < 10 && !Number.isInteger(value) ? 1 : 0),
    bar: `≤ ${bar}`,
    passed: value <= bar,
  });
  const { before, after } = figures.handles;
  const verdicts = [
    none("events lost at rest", figures.lostAtRest),
    none("events lost while all was well", figures.lostLive),
    none("phantoms", figures.phantoms),
    none("duplicates", figures.duplicates),
    none("order breaks", figures.orderBreaks),
    none("objects whose bytes nobody wrote", figures.brokenBytes),
    none("unhandled rejections, exceptions, warnings", figures.brokenProcess),
    none("faults not recovered from", figures.notRecovered),
    none("writes that the server refused", figures.refusedWrites),
    most("requests of an informer in any 1 s", figures.requests.mostIn1s, 5),
    most("requests of an informer in any 10 s", figures.requests.mostIn10s, 10),
    most("sockets left after the stop", after.sockets - before.sockets, 0),
    most("timers left after the stop", after.timers - before.timers, 0),
    most("longest stop, ms", figures.stopMs.max, 2_100),
  ];
  const { slopeMiBPerHour } = figures.heap;
  if (ranMs >= SLOPE_FROM_MS && slopeMiBPerHour !== undefined) {
    const { perHour, plusMinus } = slopeMiBPerHour;
    verdicts.push({
      what: "heap growth, MiB/h with its 95 % interval",
      value: `${perHour.toFixed(2)} ± ${plusMinus.toFixed(2)}`,
      bar: `≤ ${MAX_SLOPE_MIB_PER_HOUR}, or not told from 0`,
      passed: perHour - plusMinus <= 0 || perHour <= MAX_SLOPE_MIB_PER_HOUR,
    });
  }
  return verdicts;
}
