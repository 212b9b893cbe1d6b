/** What was seen in the course of a soak, and the figures that it makes. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { groupBy, maxWithin, quantile, slope } from "./figures.js";
import type { FromClient, MadeRequest, Sample } from "./protocol.js";
import { distribution, type Episode, type Figures, type Memory, type SecondFacts } from "./result.js";
import type { Breach } from "./truth.js";

const MAX_PROBLEMS = 50;
/** Shorter than this, a slope of memory says nothing. */
const WARM_UP_SHARE = 0.25;
const NO_SAMPLE = { heapBytes: 0, rssBytes: 0, externalBytes: 0 } as Sample;

export class Findings {
  readonly breaches: Record<Breach, number> = { phantom: 0, duplicate: 0, order: 0, malformed: 0 };
  readonly problems: string[] = [];
  readonly episodes: Episode[] = [];
  readonly seconds: SecondFacts[] = [];
  readonly samples: Sample[] = [];
  readonly requests: MadeRequest[] = [];
  readonly reported: Record<string, number> = {};
  readonly #staleness = new Map<string, RecordableHistogram>();
  events = 0;
  lostAtRest = 0;
  lostLive = 0;
  brokenProcess = 0;
  brokenBytes = 0;
  refusedWrites = 0;
  restPoints = 0;
  #secondStalenessMs = 0;
  #secondEvents = 0;

  problem(text: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(text);
  }

  event(): void {
    this.events++;
    this.#secondEvents++;
  }

  /** A prompt handler was told at a moment of what was written at another. */
  stale(atMs: number, writtenMs: number): void {
    const stalenessMs = Math.max(0, atMs - writtenMs);
    const episode = this.episodes.find(
      ({ startMs, recoveredMs, closedMs }) => startMs <= atMs && (recoveredMs ?? closedMs ?? atMs) >= writtenMs,
    );
    const name = episode?.fault ?? "";
    let histogram = this.#staleness.get(name);
    if (histogram === undefined) {
      histogram = createHistogram();
      this.#staleness.set(name, histogram);
    }
    histogram.record(Math.max(1, Math.round(stalenessMs * 1000)));
    if (episode === undefined) this.#secondStalenessMs = Math.max(this.#secondStalenessMs, stalenessMs);
  }

  /** A second has passed. */
  tick(nowMs: number, startedMs: number, connections: number): void {
    const requests = this.requests.filter(([, , atMs]) => atMs > nowMs - 1_000).length;
    this.seconds.push({
      atMs: nowMs - startedMs,
      stalenessMs: this.#secondStalenessMs,
      events: this.#secondEvents,
      requests,
      connections,
    });
    this.#secondStalenessMs = 0;
    this.#secondEvents = 0;
  }

  figures(
    writes: number,
    startedMs: number,
    writtenMs: number,
    finished: Extract<FromClient, { type: "finished" }>,
  ): Figures {
    const samples = this.samples;
    const warm = samples.filter(({ atMs }) => atMs - startedMs > (writtenMs - startedMs) * WARM_UP_SHARE);
    const memory = (pick: (sample: Sample) => number): Memory => ({
      startBytes: pick(samples[0] ?? NO_SAMPLE),
      endBytes: pick(samples.at(-1) ?? NO_SAMPLE),
      slopeMiBPerHour: slope(warm.map((sample) => [sample.atMs, pick(sample) / 2 ** 20])),
    });
    const byInformer = groupBy(this.requests, ([informer]) => informer);
    // The pages of one list are one request to whoever counts what a fault costs.
    const times = [...byInformer.values()].map((requests) =>
      requests.filter(([, kind]) => kind !== "page").map(([, , atMs]) => atMs),
    );
    const most = (spanMs: number) => Math.max(0, ...times.map((each) => maxWithin(each, spanMs)));
    const count = (kind: string) => this.requests.filter(([, each]) => each === kind).length;
    const largest = (pick: (sample: Sample) => number) => Math.max(0, ...samples.map(pick));
    return {
      writes: writes,
      events: this.events,
      comparisons: this.restPoints,
      lostAtRest: this.lostAtRest,
      lostLive: this.lostLive,
      phantoms: this.breaches.phantom,
      duplicates: this.breaches.duplicate,
      orderBreaks: this.breaches.order + this.breaches.malformed,
      brokenBytes: this.brokenBytes,
      brokenProcess: this.brokenProcess,
      refusedWrites: this.refusedWrites,
      notRecovered: this.episodes.filter(({ recoveredMs }) => recoveredMs === undefined).length,
      stalenessMs: Object.fromEntries(
        Array.from(this.#staleness, ([fault, histogram]) => [
          fault === "" ? "no fault" : fault,
          {
            count: histogram.count,
            p50: histogram.percentile(50) / 1000,
            p99: histogram.percentile(99) / 1000,
            max: histogram.max / 1000,
          },
        ]),
      ),
      recoveryMs: Object.fromEntries(
        Array.from(
          groupBy(this.episodes, ({ fault }) => fault),
          ([fault, episodes]) => [
            fault,
            distribution(
              episodes.flatMap(({ liftedMs, recoveredMs }) =>
                recoveredMs === undefined ? [] : [recoveredMs - (liftedMs ?? recoveredMs)],
              ),
            ),
          ],
        ),
      ),
      heap: memory(({ heapBytes }) => heapBytes),
      rss: memory(({ rssBytes }) => rssBytes),
      external: memory(({ externalBytes }) => externalBytes),
      handles: {
        before: finished.handlesBefore,
        after: finished.handlesAfter,
        most: {
          sockets: largest(({ sockets }) => sockets),
          timers: largest(({ timers }) => timers),
          fileDescriptors: largest(({ fileDescriptors }) => fileDescriptors),
        },
      },
      requests: {
        list: count("list"),
        page: count("page"),
        watch: count("watch"),
        watchList: count("watchList"),
        probe: count("probe"),
        mostIn1s: most(1_000),
        mostIn10s: most(10_000),
        mostIn60s: most(60_000),
      },
      loopDelayMs: {
        p50: quantile(
          samples.map(({ loopP50Ms }) => loopP50Ms),
          0.5,
        ),
        p99: quantile(
          samples.map(({ loopP99Ms }) => loopP99Ms),
          0.5,
        ),
        max: largest(({ loopMaxMs }) => loopMaxMs),
      },
      loopBusy: quantile(
        samples.map(({ loopBusy }) => loopBusy),
        0.5,
      ),
      cpuSecondsPerMillionEvents: this.events === 0 ? 0 : ((samples.at(-1)?.cpuMs ?? 0) / 1000 / this.events) * 1e6,
      pendingMost: largest(({ pending }) => pending),
      coalesced: samples.at(-1)?.coalesced ?? 0,
      stopMs: distribution(finished.stopMs),
      reported: this.reported,
    };
  }
}
