/** What a server sends that was asked for metadata alone, and does not know what that is. */
import { describe, expect, test } from "vitest";
import type { PartialObjectMetadata } from "../../runtime/api/partial-object-metadata.js";
import { ListWatch } from "../../runtime/cache/list-watch.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { ApiClient } from "../../runtime/transport/api-client.js";
import { thingJson } from "../support/entries.js";
import { ScriptedTransport } from "../support/scripted-transport.js";
import { informerErrorOf } from "../support/thrown.js";

const { signal } = new AbortController();
const resource = { group: "", version: "v1", resource: "things" };
const PARTIAL = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
const metadata = { name: "a", uid: "uid-a", resourceVersion: "1" };

function answering(text: string, kind: string | undefined = "Thing"): ListWatch<PartialObjectMetadata> {
  const client = new ApiClient(new ScriptedTransport({ chunks: [text] }), new VirtualClock());
  return new ListWatch(client, new SlabAllocator(), { resource, kind, metadataOnly: true });
}

const list = (kind: string, apiVersion: string, ...items: object[]) =>
  JSON.stringify({ kind, apiVersion, metadata: { resourceVersion: "5" }, items });

describe("metadata alone", () => {
  test.each<[string, string]>([
    ["as it should be", list("PartialObjectMetadataList", "meta.k8s.io/v1", { ...PARTIAL, metadata })],
    ["without their kind", list("PartialObjectMetadataList", "meta.k8s.io/v1", { metadata })],
    ["of whole objects that say their kind", list("ThingList", "v1", JSON.parse(thingJson("a", "1", { value: "x" })))],
    ["of whole objects that do not", list("ThingList", "v1", { spec: { a: "}" }, metadata, status: {} })],
  ])("is what comes of a list %s", async (_, text) => {
    const { entries } = await answering(text).list({}, signal, () => {});
    expect(entries.map(({ key, resourceVersion, object }) => [key, resourceVersion, object])).toEqual([
      ["a", "1", { ...PARTIAL, metadata }],
    ]);
  });

  test("is what comes of a watch, in which a bookmark may have either kind", async () => {
    const lines = [
      { type: "ADDED", object: { ...PARTIAL, metadata } },
      { type: "MODIFIED", object: JSON.parse(thingJson("a", "2", { value: "x" })) },
      { type: "BOOKMARK", object: { kind: "Thing", apiVersion: "v1", metadata: { resourceVersion: "3" } } },
    ];
    const watch = await answering(lines.map((line) => `${JSON.stringify(line)}\n`).join("")).watch({}, signal);
    const events = await watch.next();
    expect(events?.map((event) => ("entry" in event ? event.entry.object : event.type))).toEqual([
      { ...PARTIAL, metadata },
      { ...PARTIAL, metadata: { ...metadata, resourceVersion: "2" } },
      "BOOKMARK",
    ]);
  });

  test("of another kind is refused all the same", async () => {
    const foreign = JSON.parse(thingJson("a", "1").replace('"Thing"', '"Secret"'));
    expect((await informerErrorOf(answering(list("ThingList", "v1", foreign)).list({}, signal, () => {}))).code).toBe(
      "protocol",
    );
    const others = answering(list("SecretList", "v1", { metadata })).list({}, signal, () => {});
    expect((await informerErrorOf(others)).message).toContain("SecretList");
  });

  test("is not taken for whole objects by an informer of those", async () => {
    const client = new ApiClient(
      new ScriptedTransport({
        chunks: [list("PartialObjectMetadataList", "meta.k8s.io/v1", { ...PARTIAL, metadata })],
      }),
      new VirtualClock(),
    );
    const whole = new ListWatch(client, new SlabAllocator(), { resource, kind: "Thing" });
    expect((await informerErrorOf(whole.list({}, signal, () => {}))).code).toBe("protocol");
  });
});
