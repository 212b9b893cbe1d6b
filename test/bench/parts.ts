// What each hot part costs by itself, on a pod of 6.5 KB. Run: npm run bench:parts
import { decodeObject } from "../../runtime/cache/decode.js";
import { Entry } from "../../runtime/cache/entry.js";
import { Indexer } from "../../runtime/cache/indexer.js";
import { IndexerLister } from "../../runtime/cache/lister.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { findManagedFields, scanObject } from "../../runtime/transport/json-scan.js";
import { LineSplitter } from "../../runtime/transport/lines.js";
import { ListItemSplitter } from "../../runtime/transport/list-items.js";
import { podJson } from "./pod.js";

const PODS = 10_000;
const pod = Buffer.from(podJson(1, 1_000_000_001, false));
const line = Buffer.concat([Buffer.from('{"type":"MODIFIED","object":'), pod, Buffer.from("}\n")]);
/** What a socket gives at a time: ten events, the last of them cut. */
const chunk = Buffer.concat(Array.from({ length: 11 }, () => line)).subarray(0, 64 * 1024);
const list = Buffer.from(`{"kind":"PodList","items":[${Array(10).fill(pod.toString()).join(",")}],"metadata":{}}`);
const keys = Array.from({ length: PODS }, (_, i) => `ns-${i % 50}/pod-${i}`);
const slabs = new SlabAllocator();
const dropping = new SlabAllocator({ managedFields: "drop" });
const meta = (i: number) => ({ key: keys[i % PODS]!, uid: "u", resourceVersion: "1" });
const kept: unknown[] = Array(PODS);
const indexer = new Indexer(() => {});
for (let i = 0; i < PODS; i++) {
  const { key } = meta(i);
  const [namespace, name] = key.split("/") as [string, string];
  const object = { metadata: { namespace, name, uid: "u", resourceVersion: "1", labels: { app: `app-${i % 200}` } } };
  indexer.put(Entry.fromObject(meta(i), object));
}
const lister = new IndexerLister(indexer);
const split = keys.map((key) => key.split("/") as [string, string]);
const lines = new LineSplitter();
let _found = 0;
const count = () => {
  _found++;
};

/** Parts, and how many events or look-ups one call stands for. */
const parts: Readonly<Record<string, readonly [work: (i: number) => unknown, unit?: number]>> = {
  "cut a watch at newlines": [() => lines.push(chunk, count), 10],
  "cut a list into items": [
    () => {
      const items = new ListItemSplitter(count);
      items.push(list);
      return items.end();
    },
    10,
  ],
  "scan key and resourceVersion": [() => scanObject(pod, 0, pod.length)],
  "find managedFields": [() => findManagedFields(pod, 0, pod.length)],
  "copy into a slab": [(i) => Entry.fromBytes(meta(i), slabs, pod)],
  "copy into a slab, without managedFields": [(i) => Entry.fromBytes(meta(i), dropping, pod)],
  "JSON.parse, dropped": [() => JSON.parse(pod.toString("latin1"))],
  "JSON.parse, kept": [
    (i) => {
      kept[i % PODS] = JSON.parse(pod.toString("latin1"));
    },
  ],
  "decode, dropped": [() => decodeObject(pod, 0, pod.length)],
  "decode, kept": [
    (i) => {
      kept[i % PODS] = decodeObject(pod, 0, pod.length);
    },
  ],
  "write the cache": [(i) => indexer.put(Entry.fromObject(meta(i), indexer.get(keys[i % PODS]!)!))],
  "get by key": [(i) => indexer.get(keys[(i * 997) % PODS]!)],
  "get by namespace and name": [
    (i) => {
      const [namespace, name] = split[(i * 997) % PODS]!;
      return lister.namespace(namespace).get(name);
    },
  ],
  "list a namespace of 200": [(i) => lister.namespace(`ns-${i % 50}`).list()],
  "select 50 of 10,000 by label": [(i) => lister.list(`app=app-${i % 200}`)],
};

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
console.log("CPU of all threads, least of 5 rounds");
for (const [name, [work, unit = 1]] of Object.entries(parts)) {
  let calls = 100;
  for (let us = 0; us < 50_000; calls *= 2) {
    const start = cpuUs();
    for (let i = 0; i < calls; i++) work(i);
    us = cpuUs() - start;
  }
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = cpuUs();
    for (let i = 0; i < calls; i++) work(i);
    least = Math.min(least, (cpuUs() - start) / calls / unit);
  }
  console.log(`${least.toFixed(3).padStart(10)} us  ${name}`);
}
