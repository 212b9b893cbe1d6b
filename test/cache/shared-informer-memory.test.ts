// What an informer lets go of. The collector is asked to run; nothing is timed.
import { expect, test } from "vitest";
import { collectGarbage } from "../support/collect-garbage.js";
import { thing } from "../support/entries.js";
import { InformerBench } from "../support/informer.js";
import { added, endBookmark, modified, ScriptedWatch } from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

async function isCollected(ref: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 10 && ref.deref() !== undefined; i++) {
    await settle();
    collectGarbage();
  }
  return ref.deref() === undefined;
}

test("an object that was replaced is let go of, also when it came with the list that the stream began with", async () => {
  const bench = new InformerBench();
  const stream = new ScriptedWatch();
  bench.server.onWatch(stream);
  bench.informer.addEventHandler(() => {});
  await bench.start();
  stream.send(added(thing("ns/a", "1")), added(thing("ns/b", "2")), endBookmark("2"));
  await bench.clock.advance(0);
  const refTo = (key: string) => new WeakRef(bench.informer.indexer.get(key)!);
  const [replaced, kept] = [refTo("ns/a"), refTo("ns/b")];
  stream.send(modified(thing("ns/a", "3")));
  await bench.clock.advance(0);
  expect(await isCollected(replaced)).toBe(true);
  expect(await isCollected(kept)).toBe(false);
  await bench.stop();
});
