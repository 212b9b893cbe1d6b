import { afterEach, describe, expect, test } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import { thing } from "../support/entries.js";
import { ReflectorBench } from "../support/reflector.js";
import {
  added,
  connectionLost,
  endBookmark,
  errorEvent,
  expired,
  modified,
  page,
  refusal,
  ScriptedWatch,
  throttled,
  tooLarge,
} from "../support/scripted-lister-watcher.js";

/**
 * Servers that are broken for good, each in its own way. However they fail, an informer must not become a load on them:
 * fault matrix, oracle O5. `random` is 0, which draws the shortest of all delays.
 */
const BROKEN: Readonly<Record<string, (bench: ReflectorBench) => void>> = {
  "closes every watch after one event": ({ server }) => {
    let version = 10;
    server.onList(page("9", [thing("a", "9")])).onEveryWatch(() => {
      version++;
      return new ScriptedWatch(modified(thing("a", String(version)))).end();
    });
    server.onWatch(refusal(422));
  },
  "closes every streaming list after its end bookmark": ({ server }) => {
    server.onEveryWatch(() => new ScriptedWatch(added(thing("a", "9")), endBookmark("9")).end());
  },
  "closes every watch at once": ({ server }) => {
    server
      .onWatch(refusal(422))
      .onEveryList(() => page("9"))
      .onEveryWatch(() => new ScriptedWatch().end());
  },
  "closes every streaming list before its end bookmark": ({ server }) => {
    server.onEveryList(refusalOf(500)).onEveryWatch(() => new ScriptedWatch().end());
  },
  "says 410 to every watch, in the stream": ({ server }) => {
    server
      .onWatch(refusal(422))
      .onEveryList(() => page("9"))
      .onEveryWatch(() => new ScriptedWatch(errorEvent(expired())));
  },
  "says 410 to every watch after a good streaming list": ({ server }) => {
    server.onEveryWatch(() => new ScriptedWatch(endBookmark("9"), errorEvent(expired())));
  },
  "says 410 to everything": ({ server }) => {
    server.onEveryList(expired).onEveryWatch(expired);
  },
  "says 410 to every resourceVersion that is asked for": ({ server }) => {
    let lists = 0;
    server
      .onWatch(refusal(422))
      .onEveryWatch(() => new ScriptedWatch(errorEvent(expired())))
      .onEveryList(() => (lists++ % 2 === 0 ? page("9") : expired()));
  },
  "says that every resourceVersion is too large": ({ server }) => {
    server.onEveryList(tooLarge).onEveryWatch(tooLarge);
  },
  "says too large to every watch": ({ server }) => {
    server
      .onWatch(refusal(422))
      .onEveryList(() => page("9"))
      .onEveryWatch(() => new ScriptedWatch(errorEvent(tooLarge())));
  },
  "says 429 to everything": ({ server }) => {
    server.onEveryList(() => throttled()).onEveryWatch(() => throttled());
  },
  "says 403 to everything": ({ server }) => {
    server.onEveryList(refusalOf(403)).onEveryWatch(refusalOf(403));
  },
  "says 404 to everything": ({ server }) => {
    server.onEveryList(refusalOf(404)).onEveryWatch(refusalOf(404));
  },
  "says 500 to everything": ({ server }) => {
    server.onEveryList(refusalOf(500)).onEveryWatch(refusalOf(500));
  },
  "lists, but says 403 to every watch": ({ server }) => {
    server.onEveryList(() => page("9")).onEveryWatch(refusalOf(403));
  },
  "lists, but says 500 to every watch": ({ server }) => {
    server.onEveryList(() => page("9")).onEveryWatch(refusalOf(500));
  },
  "breaks every connection": ({ server }) => {
    server.onEveryList(connectionLost).onEveryWatch(connectionLost);
  },
  "breaks every watch once it is open": ({ server }) => {
    server.onEveryList(() => page("9")).onEveryWatch(() => new ScriptedWatch().break());
  },
};

function refusalOf(status: number): () => InformerError {
  return () => refusal(status);
}

/** The most requests that begin within any span of this length. */
function busiest(times: readonly number[], spanMs: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + spanMs).length));
}

describe("the rate of requests to a server that", () => {
  let bench: ReflectorBench;
  afterEach(() => bench.stop());

  test.each(Object.keys(BROKEN))("%s", async (name) => {
    bench = new ReflectorBench();
    BROKEN[name]!(bench);
    await bench.start();
    await bench.clock.advance(600_000);
    const { times } = bench.server;
    expect(times.filter((at) => at < 1_000).length, "in the first second").toBeLessThanOrEqual(5);
    expect(busiest(times, 10_000), "in any 10 s").toBeLessThanOrEqual(10);
    const late = times.filter((at) => at >= 120_000);
    expect(busiest(late, 60_000), "in a minute, after two minutes").toBeLessThanOrEqual(6);
    expect(late.length, "it goes on trying").toBeGreaterThanOrEqual(7);
  });
});
