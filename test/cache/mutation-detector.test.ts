import { describe, expect, test } from "vitest";
import { mutableCopy } from "../../runtime/api/object-meta.js";
import { Entry } from "../../runtime/cache/entry.js";
import { deepFreeze } from "../../runtime/cache/mutation-detector.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { type Thing, thing, thingJson } from "../support/entries.js";
import { InformerBench } from "../support/informer.js";
import { synced } from "../support/scripted-lister-watcher.js";

interface Writable {
  metadata: { name: string; labels: Record<string, string>; managedFields: { manager: string }[] };
  spec?: { value?: string };
}

function decoded(freeze: boolean, json = thingJson("ns/a", "1", { value: "x", labels: { app: "web" } })): Writable {
  const slabs = new SlabAllocator();
  slabs.freeze = freeze;
  const meta = { key: "ns/a", uid: "u", resourceVersion: "1" };
  return Entry.fromBytes<Thing>(meta, slabs, Buffer.from(json)).object as unknown as Writable;
}

describe("an object that is frozen when it is decoded", () => {
  test("throws at whoever writes to it, at any depth, and names the property", () => {
    const object = decoded(true);
    expect(() => {
      object.spec!.value = "y";
    }).toThrow(/'value'/);
    expect(() => {
      object.metadata.labels["mine"] = "true";
    }).toThrow(/mine/);
    expect(() => {
      delete object.spec;
    }).toThrow(/'spec'/);
    expect(object.spec?.value).toBe("x");
  });

  test("keeps its managedFields undecoded until they are read, and frozen from then on", () => {
    const managedFields = [{ manager: "kubectl" }];
    const object = decoded(true, JSON.stringify({ metadata: { name: "a", managedFields } }));
    expect(Object.getOwnPropertyDescriptor(object.metadata, "managedFields")?.get).toBeDefined();
    expect(object.metadata.managedFields).toEqual(managedFields);
    expect(() => {
      object.metadata.managedFields[0]!.manager = "me";
    }).toThrow(/'manager'/);
    expect(() => object.metadata.managedFields.pop()).toThrow(TypeError);
    expect(() => {
      object.metadata.managedFields = [];
    }).toThrow(/managedFields/);
  });

  test("can be copied to be changed", () => {
    const copy = mutableCopy(decoded(true));
    copy.spec!.value = "y";
    expect(copy.spec?.value).toBe("y");
  });

  test("is one only where that was asked for", () => {
    const object = decoded(false);
    object.spec!.value = "y";
    expect(object.spec?.value).toBe("y");
  });
});

test("a transform may write to what it is given; what it gives back is frozen", async () => {
  const slabs = new SlabAllocator();
  const bench = new InformerBench({
    slabs,
    freeze: true,
    transform: (object) => {
      object.spec = { value: "transformed" };
      return object;
    },
  });
  bench.server.onWatch(synced(thing("a", "1")));
  await bench.start();
  expect(slabs.freeze).toBe(false);
  const object = bench.informer.lister.get("a") as unknown as Writable;
  expect(object.spec?.value).toBe("transformed");
  expect(() => {
    object.spec!.value = "y";
  }).toThrow(/'value'/);
  await bench.stop();
});

test("what was frozen by someone else is left as it is, and so is what is no object", () => {
  const inner = Object.freeze({ list: [1] });
  expect(deepFreeze({ inner, text: "x", none: null })).toEqual({ inner: { list: [1] }, text: "x", none: null });
  expect(deepFreeze("x")).toBe("x");
});
