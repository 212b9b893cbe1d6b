import v8 from "node:v8";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Cached } from "../../runtime/api/object-meta.js";
import { Entry } from "../../runtime/cache/entry.js";
import { type RetentionOptions, SlabAllocator, type SlabReader } from "../../runtime/cache/slab.js";
import { tellOfGarbage } from "../../runtime/cache/slab-pages.js";
import { collectGarbage } from "../support/collect-garbage.js";
import type { Thing } from "../support/entries.js";
import { spyOnJsonParse } from "../support/json-parse.js";

const MANAGED = [{ manager: "kubelet", fieldsV1: { "f:spec": {} } }];
const jsonOf = (key: string, version: number, size: number) =>
  JSON.stringify({
    metadata: { name: key, resourceVersion: String(version), labels: { key }, managedFields: MANAGED },
    pad: `${version}`.repeat(size),
  });
const make = (slabs: SlabAllocator, key: string, version: number, size: number, prefix?: Buffer) => {
  const bytes = Buffer.from(` ${jsonOf(key, version, size)} `);
  return Entry.fromBytes<Thing>(
    { key, uid: key, resourceVersion: `${version}` },
    slabs,
    bytes,
    1,
    bytes.length - 1,
    prefix,
  );
};

const compact = (slabs: SlabAllocator, cached: () => Iterable<SlabReader>) => void [...slabs.compacting(cached)];

function* entriesOf(cache: ReadonlyMap<string, { entry: Entry<Thing> }>): Generator<Entry<Thing>> {
  for (const { entry } of cache.values()) yield entry;
}

/** What a cache does with its slabs: writes over entries, reads them, drops them, and looks through them. */
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("put" as const), key: fc.nat(20), size: fc.nat(40_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), key: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("check" as const), key: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), key: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("labels" as const), key: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("compact" as const), steps: fc.nat(40) }) },
);
const anyOptions: fc.Arbitrary<RetentionOptions> = fc.record({
  retention: fc.constantFrom("object", "bytes", undefined),
  managedFields: fc.constantFrom("keep", "drop", undefined),
});

describe("slabs", () => {
  test("never give an entry the bytes of another, however they are reused and compacted", () => {
    fc.assert(
      fc.property(anyOptions, fc.array(anyStep, { maxLength: 120 }), (options, steps) => {
        const slabs = new SlabAllocator(options);
        const cache = new Map<string, { entry: Entry<Thing>; json: string }>();
        /** Entries that the cache has let go of and a handler still holds. */
        const held: { entry: Entry<Thing>; json: string }[] = [];
        let version = 0;
        let compaction: Generator | undefined;
        const check = ({ entry, json }: { entry: Entry<Thing>; json: string }) => {
          const wanted = JSON.parse(json) as { metadata: { managedFields?: unknown } };
          if (options.managedFields === "drop") delete wanted.metadata.managedFields;
          expect(JSON.stringify(entry.object)).toBe(JSON.stringify(wanted));
        };
        for (const step of steps) {
          const key = "key" in step ? `k${step.key}` : "";
          const cached = cache.get(key);
          switch (step.do) {
            case "put":
              version++;
              if (cached !== undefined) held.push(cached);
              cache.set(key, { entry: make(slabs, key, version, step.size), json: jsonOf(key, version, step.size) });
              break;
            case "read":
              // Its managedFields stay bytes, to be moved and read later.
              if (cached !== undefined) expect(cached.entry.object.metadata?.name).toBe(key);
              break;
            case "check":
              if (cached !== undefined) check(cached);
              break;
            case "delete":
              if (cached !== undefined) held.push(cached);
              cache.delete(key);
              break;
            case "labels":
              if (cached !== undefined) expect(cached.entry.labels).toEqual({ key });
              break;
            case "compact":
              // In slices: the cache changes in between.
              compaction ??= slabs.compacting(() => entriesOf(cache));
              for (let left = step.steps; left > 0 && compaction !== undefined; left--)
                if (compaction.next().done === true) compaction = undefined;
          }
        }
        for (const one of [...held, ...cache.values()]) check(one);
      }),
    );
  });

  test("move the managedFields of decoded objects out of slabs that are mostly garbage", () => {
    const slabs = new SlabAllocator();
    const cache = new Map<string, Entry<Thing>>();
    for (let i = 0; i < 40_000; i++) {
      const key = i % 500 === 0 ? `kept${i}` : "changing";
      const entry = make(slabs, key, i, 1);
      expect(entry.object.metadata?.name).toBe(key);
      cache.set(key, entry);
    }
    const held = () => new Set(Array.from(cache.values(), ({ slab }) => slab)).size;
    const before = held();
    compact(slabs, () => cache.values());
    expect(held()).toBeLessThan(before);
    for (const entry of cache.values()) expect(entry.object.metadata?.managedFields).toEqual(MANAGED);
    expect(held()).toBe(1);
  });

  test("hold no more than twice what is cached, and one slab, after a compaction", () => {
    const slabs = new SlabAllocator();
    const cache = new Map<string, Entry<Thing>>();
    // Every eighth stays as it is while the others change again and again.
    for (let version = 1; version <= 40; version++) {
      for (let i = 0; i < 64; i++) {
        if (version > 1 && i % 8 === 0) continue;
        cache.set(`k${i}`, make(slabs, `k${i}`, version, 4_000));
      }
    }
    const bytes = () => new Set(Array.from(cache.values(), ({ slab }) => slab?.buffer)).size;
    const before = bytes();
    compact(slabs, () => cache.values());
    expect(bytes()).toBeLessThanOrEqual(before);
    const live = Array.from(cache.values()).reduce((sum, { length }) => sum + length, 0);
    const held = Array.from(new Set(Array.from(cache.values(), ({ slab }) => slab!.buffer)));
    const heldBytes = held.reduce((sum, { length }) => sum + length, 0);
    expect(heldBytes).toBeLessThanOrEqual(2 * live + 2 * 512 * 1024);
  });
});

/** Entries of 50 KB, in slabs as large as they get. */
const many = (slabs: SlabAllocator, count: number) =>
  Array.from({ length: count }, (_, at) => make(slabs, `k${at}`, at, 25_000));
const expectWhole = (entries: readonly Entry<Thing>[]) => {
  for (const [at, entry] of entries.entries())
    expect(JSON.stringify(entry.object) === jsonOf(`k${at}`, at, 25_000), `k${at}`).toBe(true);
};

describe("a slab", () => {
  test("is not written again while one of its entries is still to be read", () => {
    const slabs = new SlabAllocator();
    const entries = many(slabs, 40);
    const last = entries.at(-1)!;
    const beside = entries.filter(({ slab }) => slab === last.slab);
    expect(beside.length).toBeGreaterThan(1);
    // All but the last one are read, and others come.
    for (const entry of beside.slice(0, -1)) void entry.object;
    const later = many(slabs, 20);
    expectWhole(entries);
    expectWhole(later);
  });

  test("that nobody reads is written again, by one at a time", () => {
    const slabs = new SlabAllocator();
    const entries = many(slabs, 60);
    const seen = new Set(entries.map(({ slab }) => slab));
    expectWhole(entries);
    const later = many(slabs, 60);
    // The last one, and the one that was kept for another time.
    expect([...new Set(later.map(({ slab }) => slab))].filter((slab) => seen.has(slab))).toHaveLength(2);
    expectWhole(later);
  });

  test("that nobody reads gives its memory back at once when another waits to be written again", () => {
    const slabs = new SlabAllocator();
    const entries = many(slabs, 60);
    const seen = [...new Set(entries.map(({ slab }) => slab!))];
    expectWhole(entries);
    const kept = seen.filter(({ buffer }) => buffer.length > 0);
    expect(seen.length).toBeGreaterThan(4);
    // The last one, which is written on, and the one that waits.
    expect(kept).toHaveLength(2);
    expectWhole(entries);
  });

  test("that the collector has found free lends its pages to another, and one that a handler has kept does not", async () => {
    const slabs = new SlabAllocator();
    const pagesOf = ({ slab }: Entry<Thing>) => slab!.buffer.buffer;
    /** One entry to a slab. */
    const next = (version: number) => make(slabs, "k", version, 150_000);
    const kept = next(100);
    const own = pagesOf(kept);
    const before = [101, 102, 103].map((version) => pagesOf(next(version)));
    const later = [next(104)];
    const isLent = () => later.some((entry) => before.includes(pagesOf(entry)));
    for (let version = 105; version < 200 && !isLent(); version++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
      later.push(next(version));
    }
    expect(isLent()).toBe(true);
    for (const entry of later) expect(pagesOf(entry)).not.toBe(own);
    expect(new Set(later.map(pagesOf)).size).toBe(later.length);
    expect(JSON.stringify(kept.object) === jsonOf("k", 100, 150_000)).toBe(true);
  });

  test("that gave its memory back is not lent to another once it is collected", async () => {
    for (let round = 0; round < 5; round++) {
      expectWhole(many(new SlabAllocator(), 60));
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test("that is written on is left alone by a compaction, however empty it is", () => {
    const slabs = new SlabAllocator();
    const slab = make(slabs, "a", 1, 1).slab!;
    const entry = make(slabs, "b", 1, 1);
    const { used } = slab;
    compact(slabs, () => [entry]);
    expect([entry.slab, slab.used]).toEqual([slab, used]);
  });

  test("that is not half empty stays where it is in a compaction", () => {
    const slabs = new SlabAllocator();
    const entries = many(slabs, 40);
    const places = entries.map(({ slab }) => slab);
    compact(slabs, () => entries);
    expect(entries.filter(({ slab }, at) => slab !== places[at]).length).toBe(0);
  });
});

describe("retention", () => {
  test('"bytes" decodes again what nobody holds, and gives one object to those who do', () => {
    const parsed = spyOnJsonParse();
    const entry = make(new SlabAllocator({ retention: "bytes" }), "a", 1, 1);
    const { slab } = entry;
    const first: Cached<Thing> = entry.object;
    expect(entry.object).toBe(first);
    expect(entry.isDecoded).toBe(true);
    expect(entry.slab).toBe(slab);
    expect(parsed).toHaveLength(1);
    expect(entry.labels).toEqual({ key: "a" });
  });

  test('"drop" of managedFields keeps the rest, behind a prefix as well', () => {
    const slabs = new SlabAllocator({ managedFields: "drop" });
    const entry = make(slabs, "a", 1, 1, Buffer.from('{"kind":"Thing",'));
    expect(entry.object).toEqual({
      kind: "Thing",
      metadata: { name: "a", resourceVersion: "1", labels: { key: "a" } },
      pad: "1",
    });
  });

  test('"drop" takes in what is not JSON as it is, to be reported when it is read', () => {
    const slabs = new SlabAllocator({ managedFields: "drop" });
    const bytes = Buffer.from('{"metadata":{"name":');
    const entry = Entry.fromBytes<Thing>({ key: "a", uid: "a", resourceVersion: "1" }, slabs, bytes);
    expect(entry.length).toBe(bytes.length);
    expect(() => entry.object).toThrow("not JSON");
  });
});

describe("slabs beside a large heap", () => {
  const externalMiB = () => process.memoryUsage().external / 2 ** 20;

  test("are not counted by V8, which would look through the heap for each few; it is told of garbage instead", () => {
    const heap: unknown[] = new Array(20_000_000).fill(0);
    const before = externalMiB();
    const slabs = new SlabAllocator();
    const meta = { key: "k", uid: "k", resourceVersion: "1" };
    const bytes = Buffer.from(jsonOf("k", 1, 50_000));
    const entries = Array.from({ length: 5_000 }, () => Entry.fromBytes<Thing>(meta, slabs, bytes));
    expect(externalMiB() - before).toBeLessThan(20);
    tellOfGarbage();
    expect(externalMiB() - before).toBeLessThan(20);
    const looks = vi.spyOn(v8, "getHeapStatistics");
    onTestFinished(() => looks.mockRestore());
    // Of 64 MiB on it is worth a look whether there is enough, but not at each event.
    for (const entry of entries.slice(0, 1_500)) {
      entry.discard();
      tellOfGarbage();
    }
    expect(looks.mock.calls.length).toBeGreaterThan(0);
    expect(looks.mock.calls.length).toBeLessThan(5);
    expect(externalMiB() - before).toBeLessThan(20);
    for (const entry of entries.slice(1_500)) entry.discard();
    tellOfGarbage();
    expect(externalMiB() - before).toBeGreaterThan(60);
    // Who holds one may read it all the same.
    expect(entries[1_000]!.object.metadata?.name).toBe("k");
    expect(heap.length).toBe(20_000_000);
  });
});
