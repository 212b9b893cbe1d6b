import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InformerError, type InformerErrorCode } from "../../runtime/api/informer-error.js";
import {
  advanced,
  initialReflectorState,
  type ReflectorAction,
  type ReflectorEvent,
  type ReflectorState,
  type ReflectorStep,
  step,
  streamSynced,
} from "../../runtime/cache/reflector-state.js";
import { refusal } from "../support/scripted-lister-watcher.js";

type Ending = InformerErrorCode | "closed";

/** What follows, in short: `watch rv=7 in 700`. */
interface Cells {
  readonly listed: string;
  readonly listFailed: Readonly<Record<InformerErrorCode, string>>;
  readonly watchListFailed: Readonly<Record<Ending, string>>;
  readonly watchEnded: Readonly<Record<Ending, string>>;
}

/** `undefined` where an action never ends so. A cell that is missing does not compile, nor does one for a new error code. */
type Table = {
  readonly [Action in ReflectorAction["type"]]: { readonly [Type in ReflectorEvent["type"]]: Cells[Type] | undefined };
};

const RESUME = "watch rv=7 in 700";
const STREAM_AGAIN = "watchList rv=7 in 700";
const STREAM_NEWEST_NOW = "watchList rv= in 0";
const LIST_NOW = "list rv=7 in 0";

const AFTER_WATCH: Cells["watchEnded"] = {
  closed: RESUME,
  connection: RESUME,
  tls: RESUME,
  timeout: RESUME,
  credential: RESUME,
  unauthorized: RESUME,
  forbidden: RESUME,
  "not-served": RESUME,
  throttled: RESUME,
  expired: "watchList rv=7 in 0",
  "too-large-resource-version": "watchList rv= in 700",
  regressed: STREAM_NEWEST_NOW,
  diverged: "list rv= limit=500 in 0",
  delayed: RESUME,
  server: RESUME,
  status: RESUME,
  protocol: RESUME,
  limit: RESUME,
  decode: RESUME,
  handler: RESUME,
  transform: RESUME,
  index: RESUME,
  "not-synced": RESUME,
  stopped: RESUME,
  usage: RESUME,
  conflict: RESUME,
};

/** From a state that is synced up to 7, 100 ms after the request began, for the first time, with the least jitter. */
const TABLE: Table = {
  list: {
    listed: "watch rv=9 in 0",
    listFailed: {
      connection: STREAM_AGAIN,
      tls: STREAM_AGAIN,
      timeout: STREAM_AGAIN,
      credential: STREAM_AGAIN,
      unauthorized: STREAM_AGAIN,
      forbidden: STREAM_AGAIN,
      "not-served": STREAM_AGAIN,
      throttled: STREAM_AGAIN,
      expired: STREAM_NEWEST_NOW,
      "too-large-resource-version": STREAM_NEWEST_NOW,
      regressed: STREAM_AGAIN,
      diverged: STREAM_AGAIN,
      delayed: STREAM_AGAIN,
      server: STREAM_AGAIN,
      status: STREAM_AGAIN,
      protocol: STREAM_AGAIN,
      limit: STREAM_AGAIN,
      decode: STREAM_AGAIN,
      handler: STREAM_AGAIN,
      transform: STREAM_AGAIN,
      index: STREAM_AGAIN,
      "not-synced": STREAM_AGAIN,
      stopped: STREAM_AGAIN,
      usage: STREAM_AGAIN,
      conflict: STREAM_AGAIN,
    },
    watchListFailed: undefined,
    watchEnded: undefined,
  },
  watchList: {
    listed: undefined,
    listFailed: undefined,
    watchListFailed: {
      closed: STREAM_AGAIN,
      connection: STREAM_AGAIN,
      tls: STREAM_AGAIN,
      timeout: LIST_NOW,
      credential: STREAM_AGAIN,
      unauthorized: STREAM_AGAIN,
      forbidden: LIST_NOW,
      "not-served": LIST_NOW,
      throttled: STREAM_AGAIN,
      expired: STREAM_NEWEST_NOW,
      "too-large-resource-version": STREAM_NEWEST_NOW,
      regressed: LIST_NOW,
      diverged: LIST_NOW,
      delayed: LIST_NOW,
      server: LIST_NOW,
      status: LIST_NOW,
      protocol: LIST_NOW,
      limit: LIST_NOW,
      decode: LIST_NOW,
      handler: LIST_NOW,
      transform: LIST_NOW,
      index: LIST_NOW,
      "not-synced": LIST_NOW,
      stopped: LIST_NOW,
      usage: LIST_NOW,
      conflict: LIST_NOW,
    },
    // The end bookmark has come: the stream was the watch.
    watchEnded: AFTER_WATCH,
  },
  watch: { listed: undefined, listFailed: undefined, watchListFailed: undefined, watchEnded: AFTER_WATCH },
};

const START_MS = 1_000;
const END_MS = START_MS + 100;

function during(action: ReflectorAction["type"], changes: Partial<ReflectorState> = {}): ReflectorState {
  const actions: { readonly [Type in ReflectorAction["type"]]: ReflectorAction } = {
    list: { type: "list", resourceVersion: "7", limit: 0 },
    watchList: { type: "watchList", resourceVersion: "7" },
    watch: { type: "watch", resourceVersion: "7" },
  };
  const synced = advanced(initialReflectorState(true, START_MS), "7");
  return { ...synced, action: actions[action], ...changes };
}

function ended(type: ReflectorEvent["type"], ending: Ending): ReflectorEvent {
  const error = ending === "closed" ? undefined : new InformerError(ending, ending);
  switch (type) {
    case "listed":
      return { type, resourceVersion: "9", paginated: false };
    case "listFailed":
      return { type, error: error! };
    case "watchListFailed":
      return { type, error };
    case "watchEnded":
      return { type, error, events: 0 };
  }
}

function inShort({ state: { action }, delayMs }: ReflectorStep): string {
  const limit = action.type === "list" && action.limit > 0 ? ` limit=${action.limit}` : "";
  return `${action.type} rv=${action.resourceVersion}${limit} in ${delayMs}`;
}

const following = (state: ReflectorState, event: ReflectorEvent, nowMs = END_MS) =>
  inShort(step(state, event, nowMs, 0));

describe("every way for a request to end", () => {
  const actions = Object.keys(TABLE) as ReflectorAction["type"][];
  for (const action of actions) {
    for (const [type, cells] of Object.entries(TABLE[action]) as [ReflectorEvent["type"], Cells[keyof Cells]][]) {
      if (cells === undefined) continue;
      const rows: [string, string][] = typeof cells === "string" ? [["closed", cells]] : Object.entries(cells);
      test.each(rows)(`${action}, ${type}: %s → %s`, (ending, expected) => {
        expect(following(during(action), ended(type, ending as Ending))).toBe(expected);
      });
    }
  }
});

describe("what to list", () => {
  test("begins with a streaming list of the newest, or with a paged list of what the watch cache has", () => {
    expect(initialReflectorState(true, 0).action).toEqual({ type: "watchList", resourceVersion: "" });
    expect(initialReflectorState(false, 0).action).toEqual({ type: "list", resourceVersion: "0", limit: 500 });
  });

  test.each([400, 405, 406, 415, 422, 501])("status %i means for good that there are no streaming lists", (status) => {
    const first = step(during("watchList"), { type: "watchListFailed", error: refusal(status) }, END_MS, 0);
    expect(inShort(first)).toBe("list rv=7 in 0");
    expect(following(first.state, ended("listFailed", "server"), END_MS)).toMatch(/^list rv=7 /);
  });

  test.each([403, 404, 500, 503])("status %i may be of the moment: the next round streams again", (status) => {
    const first = step(during("watchList"), { type: "watchListFailed", error: refusal(status) }, END_MS, 0);
    expect(following(first.state, ended("listFailed", "server"), END_MS)).toMatch(/^watchList rv=7 /);
  });

  test("two streaming lists in a row that end without a bookmark are enough; a good one between starts the count anew", () => {
    const once = step(during("watchList"), ended("watchListFailed", "closed"), END_MS, 0);
    expect(following(once.state, ended("watchListFailed", "closed"))).toBe("list rv=7 in 0");
    expect(following(streamSynced(once.state, "8"), ended("watchListFailed", "closed"))).toMatch(/^watchList rv=8 /);
  });

  test("a resourceVersion that the server cannot serve is asked for once; then the newest, until one list succeeds", () => {
    const classic = during("list", { streaming: false });
    const first = step(classic, ended("listFailed", "expired"), END_MS, 0);
    expect(inShort(first)).toBe("list rv= limit=500 in 0");
    const second = step(first.state, ended("listFailed", "expired"), END_MS, 0);
    expect(inShort(second)).toMatch(/^list rv= limit=500 in [1-9]/);
    const listed = step(second.state, ended("listed", "closed"), END_MS, 0);
    expect(inShort(listed)).toBe("watch rv=9 in 0");
    expect(following(listed.state, ended("watchEnded", "expired"))).toMatch(/^list rv=9 in/);
    const streamed = streamSynced(during("watchList", { unavailable: true }), "9");
    expect(following(streamed, ended("watchEnded", "expired"))).toBe("watchList rv=9 in 0");
  });

  test("a relist is paged only where the watch cache was seen to page", () => {
    const first = during("list", { streaming: false, action: { type: "list", resourceVersion: "0", limit: 500 } });
    const paged = step(first, { type: "listed", resourceVersion: "9", paginated: true }, END_MS, 0);
    expect(following(paged.state, ended("watchEnded", "expired"))).toBe("list rv=9 limit=500 in 0");
    const later = during("list", { streaming: false });
    const unpaged = step(later, { type: "listed", resourceVersion: "9", paginated: true }, END_MS, 0);
    expect(following(unpaged.state, ended("watchEnded", "expired"))).toBe("list rv=9 in 0");
  });
});

describe("when to forget a resourceVersion", () => {
  const thrice = (event: ReflectorEvent, change = (state: ReflectorState) => state): ReflectorStep => {
    const once = step(during("watch"), event, END_MS, 0);
    const twice = step(change(once.state), event, once.state.startedMs + 100, 0);
    return step(twice.state, event, twice.state.startedMs + 100, 0);
  };

  test("three watches in a row that close at once with nothing", () => {
    expect(inShort(thrice(ended("watchEnded", "closed")))).toMatch(/^watchList rv= /);
  });

  test("three refusals in a row, as of a resourceVersion that the server cannot read", () => {
    expect(inShort(thrice({ type: "watchEnded", error: refusal(500), events: 0 }))).toMatch(/^watchList rv= /);
  });

  test("not after an event, an end that took its time, or a bookmark between", () => {
    expect(inShort(thrice({ type: "watchEnded", error: undefined, events: 1 }))).toMatch(/^watch rv=7 /);
    expect(inShort(thrice(ended("watchEnded", "closed"), (state) => advanced(state, "8")))).toMatch(/^watch rv=8 /);
    const slow = during("watch", { stuck: 2 });
    expect(following(slow, ended("watchEnded", "closed"), START_MS + 1_000)).toMatch(/^watch rv=7 /);
  });

  test.each(["connection", "tls", "credential", "unauthorized", "throttled"] as const)(
    "not for %s, which says nothing about it",
    (code) => {
      expect(inShort(thrice(ended("watchEnded", code)))).toMatch(/^watch rv=7 /);
    },
  );

  test.each([502, 503, 504])("not for a gateway's %i: nobody was there to look at it", (status) => {
    expect(inShort(thrice({ type: "watchEnded", error: refusal(status), events: 0 }))).toMatch(/^watch rv=7 /);
  });
});

describe("pace", () => {
  const failures = (count: number, random: number): number[] => {
    let state = during("watch");
    return Array.from({ length: count }, () => {
      const next = step(state, ended("watchEnded", "connection"), state.startedMs, random);
      state = next.state;
      return next.delayMs;
    });
  };

  test("doubles from 0.8 s to 30 s, each delay drawn from [d, 2d)", () => {
    expect(failures(8, 0)).toEqual([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
    expect(failures(2, 0.5)).toEqual([1_200, 2_400]);
  });

  test("counts from the start of a request, so one that lasted is followed at once", () => {
    const state = during("watch", { failures: 3 });
    expect(following(state, ended("watchEnded", "connection"), START_MS + 5_000)).toBe("watch rv=7 in 1400");
    expect(following(state, ended("watchEnded", "connection"), START_MS + 7_000)).toBe("watch rv=7 in 0");
  });

  test("begins anew after a watch of 30 s, however it ends", () => {
    const worn = during("watch", { failures: 9, hurried: 2 });
    const { state } = step(worn, ended("watchEnded", "connection"), START_MS + 30_000, 0);
    expect(following(state, ended("watchEnded", "connection"), state.startedMs)).toBe("watch rv=7 in 1600");
    expect(following(worn, ended("watchEnded", "expired"), START_MS + 30_000)).toBe("watchList rv=7 in 0");
    expect(following(worn, ended("watchEnded", "expired"), START_MS + 29_999)).toMatch(/^watchList rv=7 in [1-9]/);
  });

  test.each(["forbidden", "not-served"] as const)(
    "%s for the fifth time is asked after as seldom as anything",
    (code) => {
      const again = (failures: number, ending: Ending) =>
        following(during("list", { streaming: false, failures }), ended("listFailed", ending));
      expect(again(3, code)).toBe("list rv=7 in 6300");
      expect(again(4, code)).toBe("list rv=7 in 29900");
      expect(again(4, "server")).toBe("list rv=7 in 12700");
    },
  );

  test("waits as long as the server asks, even after a watch that lasted", () => {
    const event: ReflectorEvent = { type: "watchEnded", error: refusal(429, {}, 7_000), events: 5 };
    expect(following(during("watch"), event, START_MS + 60_000)).toBe("watch rv=7 in 7000");
    expect(following(during("watchList"), { type: "watchListFailed", error: refusal(429, {}, 7_000) })).toBe(
      "watchList rv=7 in 7000",
    );
  });

  /** How a request may end, with how long it lasted: never long enough for a watch to count as good. */
  const ending = fc.record({
    error: fc.option(fc.constantFrom(...(Object.keys(AFTER_WATCH) as Ending[])), { nil: "closed" as const }),
    works: fc.boolean(),
    events: fc.nat(2),
    livedMs: fc.oneof(fc.constant(0), fc.nat(29_999)),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });

  test("no sequence of failures makes a load of it, and none makes it give up", () => {
    fc.assert(
      fc.property(fc.array(ending, { minLength: 60, maxLength: 80 }), fc.boolean(), (endings, streaming) => {
        let state = initialReflectorState(streaming, 0);
        const starts = [0];
        let worn: number[] | undefined;
        for (const { error, works, events, livedMs, random } of endings) {
          const nowMs = state.startedMs + livedMs;
          const { type } = state.action;
          let event: ReflectorEvent;
          if (type === "list") event = works ? ended("listed", "closed") : ended("listFailed", asError(error));
          else if (type === "watchList" && !works) event = ended("watchListFailed", error);
          else event = { ...ended("watchEnded", error), events } as ReflectorEvent;
          if (type === "watchList" && works) state = streamSynced(state, "9");
          const next = step(state, event, nowMs, random);
          expect(next.delayMs).toBeGreaterThanOrEqual(0);
          state = next.state;
          starts.push(state.startedMs);
          // From here on the delay is the longest, and nothing is done at once any more.
          if (worn === undefined && state.failures >= 7 && state.hurried >= 2) worn = [];
          worn?.push(state.startedMs);
        }
        const within = (of: readonly number[], from: number, spanMs: number) =>
          of.filter((at) => at >= from && at < from + spanMs).length;
        // The first request is nobody's fault.
        expect(within(starts, 0, 1_000)).toBeLessThanOrEqual(1 + 5);
        for (const from of starts) expect(within(starts, from, 10_000)).toBeLessThanOrEqual(10);
        for (const from of worn ?? []) expect(within(worn ?? [], from, 60_000)).toBeLessThanOrEqual(6);
      }),
    );
  });

  const asError = (ending: Ending): Ending => (ending === "closed" ? "server" : ending);
});
