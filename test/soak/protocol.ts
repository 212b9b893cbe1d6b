/** What the two processes of a soak have in common: the objects that are written, and the messages that go between them. */
import type { GroupVersionResource } from "../../runtime/api/group-version-resource.js";

/** Milliseconds of a clock that all processes of a machine share. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export type ResourceName = "small" | "large" | "custom";

export interface SoakResource {
  readonly name: ResourceName;
  readonly resource: GroupVersionResource;
  readonly kind: string;
  /** Characters of text in each object. */
  readonly size: number;
  /** Of a hundred objects and writes, how many. */
  readonly share: number;
}

export const RESOURCES: readonly SoakResource[] = [
  {
    name: "small",
    resource: { group: "", version: "v1", resource: "configmaps" },
    kind: "ConfigMap",
    size: 100,
    share: 70,
  },
  {
    name: "large",
    resource: { group: "", version: "v1", resource: "secrets" },
    kind: "Secret",
    size: 20_000,
    share: 5,
  },
  {
    name: "custom",
    resource: { group: "soak.example.com", version: "v1", resource: "widgets" },
    kind: "Widget",
    size: 500,
    share: 25,
  },
];

export const NAMESPACES = ["soak-a", "soak-b", "soak-c"] as const;
/** Which objects a selector takes. */
export const TIERS = ["front", "back"] as const;
/** Is written when a fault is over, by nobody else: who has it is up to date. */
export const CANARY = `${NAMESPACES[0]}/canary`;

export const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.soak.example.com" },
  spec: {
    group: "soak.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

/** Text that only this write has, from its first character to its last. */
export function filler(sequence: number, size: number): string {
  return `${sequence}.`.repeat(Math.ceil(size / `${sequence}.`.length)).slice(0, size);
}

/** An object as the writer sends it. The sequence number makes each write different from all others, also after a restore. */
export function soakObject(type: SoakResource, key: string, sequence: number, tier: string): object {
  const [namespace = "", name = ""] = key.split("/");
  const { group, version } = type.resource;
  const data = { sequence: String(sequence), filler: filler(sequence, type.size) };
  return {
    apiVersion: group === "" ? version : `${group}/${version}`,
    kind: type.kind,
    metadata: { namespace, name, labels: { tier } },
    ...(type.kind === "Secret" ? { stringData: data } : { data }),
  };
}

interface SoakData {
  readonly metadata: { readonly name: string };
  readonly data?: { readonly sequence?: string; readonly filler?: string };
}

/** The sequence number of an object that was read; -1 when it is not one that {@link soakObject} made. */
export function sequenceOf(object: object): number {
  const { data } = object as SoakData;
  const { kind } = object as { kind?: string };
  const text = data?.sequence ?? "";
  const sequence = Number(kind === "Secret" ? Buffer.from(text, "base64").toString() : text);
  return text !== "" && Number.isSafeInteger(sequence) ? sequence : -1;
}

/** Whether each character is as it was written. */
export function isWhole(type: SoakResource, object: object): boolean {
  const text = (object as SoakData).data?.filler ?? "";
  const decoded = type.kind === "Secret" ? Buffer.from(text, "base64").toString() : text;
  return decoded === filler(sequenceOf(object), type.size);
}

/** Of the objects of a resource, those that an informer asks for. */
export interface View {
  readonly namespace?: string;
  readonly tier?: string;
}

/**
 * - `plain` counts and returns; `async` awaits a turn of the event loop; `throwing` fails at each seventh event
 * - `slow` takes milliseconds for each event, so that its queue fills up and is coalesced; `blocking` the same, and blocks
 * - `iterator` is a loop over `events()`; `late` joins and leaves again and again
 */
export type HandlerKind = "plain" | "async" | "throwing" | "slow" | "blocking" | "iterator" | "late";

export interface HandlerFacts {
  readonly id: number;
  readonly resource: ResourceName;
  /** Its informer, of which there are several for a resource. */
  readonly informer: string;
  readonly view: View;
  readonly kind: HandlerKind;
}

/** `i` an add of the initial list, `a` an add, `u` an update, `d` a delete, `t` a tombstone. */
export type Told = "i" | "a" | "u" | "d" | "t";
/** An event as a handler was given it; the sequence before is that of an update's old object. */
export type ToldEvent = readonly [
  handler: number,
  told: Told,
  key: string,
  sequence: number,
  before: number,
  atMs: number,
];

export type RequestKind = "list" | "page" | "watch" | "watchList" | "probe";
export type MadeRequest = readonly [informer: string, kind: RequestKind, atMs: number];

/** The state of the client process at one moment; bytes after a forced garbage collection. */
export interface Sample {
  readonly atMs: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly externalBytes: number;
  readonly sockets: number;
  readonly timers: number;
  readonly fileDescriptors: number;
  readonly loopP50Ms: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  /** Share of the time in which the event loop was busy, 0 to 1. */
  readonly loopBusy: number;
  readonly cpuMs: number;
  readonly pending: number;
  readonly coalesced: number;
  readonly objects: number;
}

/** What a cache holds: key and sequence. */
export type Snapshot = readonly (readonly [
  informer: string,
  objects: readonly (readonly [key: string, sequence: number])[],
])[];

export interface ClientConfiguration {
  readonly server: string;
  readonly ca: string | undefined;
  readonly token: string | undefined;
  readonly sampleMs: number;
  readonly backoffCapMs: number;
}

export interface Handles {
  readonly sockets: number;
  readonly timers: number;
  readonly fileDescriptors: number;
}

export type ToClient =
  | { readonly type: "start"; readonly configuration: ClientConfiguration }
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "snapshot" }
  | { readonly type: "finish"; readonly stops: number };

export type FromClient =
  | { readonly type: "ready" }
  | { readonly type: "joined"; readonly handler: HandlerFacts; readonly atMs: number }
  | { readonly type: "left"; readonly id: number }
  | { readonly type: "told"; readonly events: readonly ToldEvent[]; readonly requests: readonly MadeRequest[] }
  | { readonly type: "sample"; readonly sample: Sample }
  | { readonly type: "reported"; readonly code: string }
  /** Something that must not be: an unhandled rejection, a warning, bytes that nobody wrote. */
  | { readonly type: "broken"; readonly what: "process" | "bytes"; readonly text: string }
  | { readonly type: "snapshot"; readonly snapshot: Snapshot }
  | {
      readonly type: "finished";
      readonly stopMs: readonly number[];
      readonly handlesBefore: Handles;
      readonly handlesAfter: Handles;
    };
