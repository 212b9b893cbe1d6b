/**
 * Bugs that are seeded into what a client tells: a soak's judge finds each of them, and nothing in an honest log. The log is of
 * writes, of what four handlers say of them, a fault, and the caches at rest.
 */
import { describe, expect, test } from "vitest";
import { Judge } from "./judge.js";
import { CANARY, type FromClient, type HandlerFacts, type Snapshot, type ToldEvent } from "./protocol.js";
import { type Verdict, verdictsOf } from "./result.js";

const KEYS = [CANARY, "soak-a/one", "soak-a/two", "soak-b/three"];
const HANDLERS: readonly HandlerFacts[] = [
  { id: 1, resource: "small", informer: "all/small", view: {}, kind: "plain" },
  { id: 2, resource: "small", informer: "namespace/small", view: { namespace: "soak-a" }, kind: "async" },
  { id: 3, resource: "small", informer: "selector/small", view: { tier: "front" }, kind: "throwing" },
  // It may pass over what is between.
  { id: 4, resource: "small", informer: "all/small", view: {}, kind: "slow" },
];
const ROUNDS = 30;
/** Of the rounds: a fault begins, and everybody is up to date again. */
const FAULT = [18, 20] as const;
const roundMs = (round: number) => round * 1_000;

type Client = Exclude<FromClient, { type: "ready" | "finished" }>;
type Event = Extract<Client, { type: "told" }>["events"][number];

/** What a client says, message by message, while round by round every object is written, deleted or written anew. */
class Log {
  readonly messages: { readonly round: number; readonly message: Client }[] = [];

  /** The told event of a handler that is of a kind, from a round on. */
  indexOf(handler: number, told: string, fromRound: number): number {
    const at = this.messages.findIndex(
      ({ round, message }) =>
        round >= fromRound &&
        message.type === "told" &&
        message.events[0]?.[0] === handler &&
        message.events[0][1] === told,
    );
    if (at < 0) throw new Error(`handler ${handler} was not told ${told}`);
    return at;
  }

  eventAt(at: number): ToldEvent {
    return (this.messages[at]!.message as Extract<Client, { type: "told" }>).events[0]!;
  }

  /** Puts these in the place of one event. */
  replace(at: number, ...events: readonly Event[]): void {
    const { round } = this.messages[at]!;
    const told = events.map((event) => ({ round, message: { type: "told", events: [event], requests: [] } as const }));
    this.messages.splice(at, 1, ...told);
  }
}

interface Write {
  readonly round: number;
  readonly key: string;
  /** 0 for a deletion. */
  readonly sequence: number;
  readonly tier: string;
}

const WRITES: readonly Write[] = Array.from({ length: ROUNDS }, (_, round) =>
  KEYS.map((key, at) => ({
    round,
    key,
    sequence: key !== CANARY && (round + at) % 5 === 4 ? 0 : round * KEYS.length + at + 1,
    tier: key === CANARY || (round + at) % 3 < 2 ? "front" : "back",
  })),
).flat();

/** What a handler sees of a write. */
const seenBy = ({ view }: HandlerFacts, { key, sequence, tier }: Write) =>
  (view.namespace === undefined || key.startsWith(`${view.namespace}/`)) && (view.tier ?? tier) === tier ? sequence : 0;

function honestLog(): { log: Log; snapshot: Snapshot } {
  const log = new Log();
  for (const handler of HANDLERS) log.messages.push({ round: 0, message: { type: "joined", handler, atMs: 0 } });
  const known = new Map(HANDLERS.map(({ id }) => [id, new Map<string, number>()]));
  for (const write of WRITES) {
    for (const handler of HANDLERS) {
      const mine = known.get(handler.id)!;
      const before = mine.get(write.key) ?? 0;
      const sequence = seenBy(handler, write);
      if (before === sequence) continue;
      const told = sequence === 0 ? "d" : before === 0 ? "a" : "u";
      const event = [
        handler.id,
        told,
        write.key,
        sequence || before,
        told === "u" ? before : 0,
        roundMs(write.round) + 5,
      ];
      log.messages.push({
        round: write.round,
        message: { type: "told", events: [event as unknown as Event], requests: [] },
      });
      if (sequence === 0) mine.delete(write.key);
      else mine.set(write.key, sequence);
    }
  }
  const snapshot = HANDLERS.slice(0, 3).map(({ id, informer }) => [informer, [...known.get(id)!]] as const);
  return { log, snapshot };
}

/** What the judge says of it: the verdicts that are failures. */
function failuresOf(log: Log, snapshot: Snapshot): string[] {
  const judge = new Judge();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { key, sequence, tier } of WRITES.filter((write) => write.round === round)) {
      if (sequence === 0) judge.truth.delete("small", key, roundMs(round));
      else judge.truth.write("small", key, sequence, tier, roundMs(round));
    }
    if (round === FAULT[0])
      judge.findings.episodes.push({
        fault: "a cut",
        startMs: roundMs(FAULT[0]),
        liftedMs: roundMs(FAULT[1]),
        recoveredMs: roundMs(FAULT[1]),
        closedMs: undefined,
      });
    for (const { message } of log.messages.filter((each) => each.round === round)) judge.receive(message);
  }
  judge.atRest();
  judge.compare(snapshot);
  judge.restEnded(roundMs(ROUNDS));
  const none = { sockets: 0, timers: 0, fileDescriptors: 0 };
  const finished = { type: "finished", stopMs: [1], handlesBefore: none, handlesAfter: none } as const;
  const figures = judge.findings.figures(WRITES.length, 0, roundMs(ROUNDS), finished);
  return verdictsOf(figures, roundMs(ROUNDS))
    .filter(({ passed }: Verdict) => !passed)
    .map(({ what }) => what);
}

test("an honest log fails nothing", () => {
  const { log, snapshot } = honestLog();
  expect(failuresOf(log, snapshot)).toEqual([]);
});

const LOST = "events lost at rest";
const LIVE = "events lost while all was well";

describe("a soak fails when", () => {
  test.each<[string, (log: Log) => void, string[]]>([
    ["an add is lost", (log) => log.replace(log.indexOf(1, "a", 3)), ["order breaks", LIVE]],
    ["an update is lost, while all is well", (log) => log.replace(log.indexOf(1, "u", 3)), ["order breaks", LIVE]],
    ["a deletion is lost", (log) => log.replace(log.indexOf(2, "d", 3)), ["order breaks", LIVE]],
    ["the last event of all is lost", (log) => void log.messages.pop(), [LOST]],
    [
      "an event is lost, and the next is told as if it came before",
      (log) => {
        const at = log.indexOf(1, "u", 3);
        const [, , key, , before] = log.eventAt(at);
        log.replace(at);
        const next = log.messages.findIndex(
          ({ message }, index) =>
            index >= at && message.type === "told" && message.events[0]![0] === 1 && message.events[0]![2] === key,
        );
        const [id, , , sequence, , atMs] = log.eventAt(next);
        log.replace(next, [id, "u", key, sequence, before, atMs]);
      },
      [LIVE],
    ],
    [
      "a state is told that nobody wrote",
      (log) => {
        const at = log.indexOf(1, "u", 3);
        const [id, told, key, sequence, before, atMs] = log.eventAt(at);
        log.replace(at, [id, told, key, 100_000, before, atMs], [id, told, key, sequence, 100_000, atMs]);
      },
      ["phantoms"],
    ],
    [
      "an object is told of another namespace",
      (log) => {
        const [, , , , , atMs] = log.eventAt(log.indexOf(2, "u", 3));
        log.replace(log.indexOf(2, "u", 3), log.eventAt(log.indexOf(2, "u", 3)), [2, "a", "soak-b/three", 16, 0, atMs]);
      },
      ["phantoms", LOST],
    ],
    [
      "an event is told twice",
      (log) => {
        const at = log.indexOf(1, "u", 3);
        const [id, told, key, sequence, , atMs] = log.eventAt(at);
        log.replace(at, log.eventAt(at), [id, told, key, sequence, sequence, atMs]);
      },
      ["duplicates"],
    ],
    [
      "an older state is told again",
      (log) => {
        const at = log.indexOf(1, "u", 3);
        const [id, told, key, sequence, before, atMs] = log.eventAt(at);
        log.replace(
          at,
          log.eventAt(at),
          [id, told, key, before, sequence, atMs],
          [id, told, key, sequence, before, atMs],
        );
      },
      ["order breaks"],
    ],
  ])("%s", (_, bug, failures) => {
    const { log, snapshot } = honestLog();
    bug(log);
    expect(failuresOf(log, snapshot).sort()).toEqual([...failures].sort());
  });

  test.each<[string, (objects: [string, number][]) => [string, number][]]>([
    ["misses an object", (objects) => objects.slice(1)],
    ["has an object that is gone", (objects) => [...objects, ["soak-a/gone", 3]]],
    ["has an object as it was", ([[key, sequence] = ["", 0], ...others]) => [[key, sequence - 4], ...others]],
  ])("a cache %s", (_, bug) => {
    const { log, snapshot } = honestLog();
    const [[informer, objects], ...others] = snapshot as [Snapshot[number], ...Snapshot];
    const stale = [[informer, bug(objects.map(([key, sequence]) => [key, sequence]))] as const, ...others];
    expect(failuresOf(log, stale)).toEqual([LOST]);
  });
});

test("what is passed over in a fault, or by a slow handler, is no failure as long as the end is told", () => {
  const { log, snapshot } = honestLog();
  /** Leaves out one update of a handler, and tells the next from the state before. */
  const passOver = (handler: number, fromRound: number) => {
    const isUpdate = (at: number) => log.eventAt(at)[1] === "u";
    const updates = log.messages.flatMap(({ round, message }, at) =>
      round >= fromRound &&
      message.type === "told" &&
      message.events[0]![0] === handler &&
      message.events[0]![2] === CANARY
        ? [at]
        : [],
    );
    const [first, second] = updates.filter(isUpdate) as [number, number];
    const [, , , , before] = log.eventAt(first);
    const [id, told, key, sequence, , atMs] = log.eventAt(second);
    log.replace(second, [id, told, key, sequence, before, atMs]);
    log.replace(first);
  };
  passOver(1, FAULT[0]);
  passOver(4, 3);
  expect(failuresOf(log, snapshot)).toEqual([]);
});
