// What `npm run bench` runs: which programs, against which server, how large and how often.
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where the programs in Go and Rust are built. */
export const built = join(tmpdir(), "kube-informers-bench");
/** In the place of a Node's program, where a command begins. */
export const NODE = "node";
const node = (...args: string[]): string[] => [NODE, "--expose-gc", "--import", "tsx", ...args];

/** A program that prints what it measured as one line of JSON. */
export interface Row {
  readonly name: string;
  readonly command: readonly string[];
  /** What it takes beside Node and npm: the row is left out without `--peers`, or where that is not there. */
  readonly peer?: "go" | "cargo";
  /** Of the server, beside its address and size. */
  readonly serverArgs?: readonly string[];
}

export interface Suite {
  readonly name: string;
  readonly title: string;
  readonly rounds: number;
  /** Objects that are served; of 6.5 KB, or of 0.9. */
  readonly count: number;
  readonly slim?: boolean;
  /** Events as fast as they are taken in. */
  readonly burst?: number;
  /**
   * Events of a burst before that one: code has to be hot, and what was read before has to be written over, as in a process that
   * lives for longer than a minute.
   */
  readonly warmUp?: number;
  /** Events a second, and how many of them. */
  readonly rate?: readonly [perSecond: number, events: number];
  /** Which Node of test/matrix/tools its programs run on, `node-24`; without it the one that `npm run bench` runs on. */
  readonly node?: string;
  /** `pods` is the one in Go, where peers take part: it can protobuf. */
  readonly server: "pods" | "pods in Node" | "kinds" | "kinds over HTTP/2";
  readonly rows: readonly Row[];
}

const project = (name: string, ...args: string[]): Row => ({
  name: `project ${name}`,
  command: node("scripts/bench-client.ts", ...args),
});
const limit = (mode: string): Row => ({
  name: `limit ${mode}`,
  command: node("test/bench/limit.ts", "--mode", mode),
});
const clientGo = (name: string, args: readonly string[], serverArgs: readonly string[] = []): Row => ({
  name: `client-go ${name}`,
  command: [join(built, "clientgo"), ...args],
  peer: "go",
  serverArgs,
});

const LIMITS = [limit("raw"), limit("parse")];
const CLIENT_NODE: Row = { name: "client-node", command: node("test/bench/client-node.ts") };
const KEYS = project("keys", "--mode", "keys");
const KEYS_DROP = project("keys, no managedFields", "--mode", "keys", "--managed-fields", "drop");
const KEYS_BYTES = project("keys, bytes", "--mode", "keys", "--retention", "bytes");
const OBJECTS = project("objects", "--mode", "objects");
const OBJECTS_DROP = project("objects, no managedFields", "--mode", "objects", "--managed-fields", "drop");
const DYNAMIC = project("dynamic", "--mode", "dynamic");
const PROTOBUF = clientGo("protobuf", [], ["--protobuf"]);
const GO_JSON = clientGo("JSON", ["--json"]);
const KUBE_RS: Row = { name: "kube-rs", command: [join(built, "rust/release/kubers")], peer: "cargo" };
const PODS = { count: 10_000, rounds: 3, burst: 20_000, rate: [500, 2_500], server: "pods" } as const;

const relist = (mode: string): Row => project(`${mode}`, "--mode", mode, "--relist");
const list = (name: string, ...serverArgs: string[]): Row => ({
  ...project(`list, ${name}`, "--mode", "keys", "--list"),
  serverArgs,
});
const informers = (name: string, ...args: string[]): Row => ({
  name,
  command: node("test/bench/informers.ts", ...args),
});
const INFORMERS = [informers("100 informers", "--informers", "100"), informers("all built-in kinds")];
/** Idle for longer than V8 looks back to tell whether a program is. */
const IDLE = ["--idle-ms", "6000"];
const idle = (row: Row): Row => ({ ...row, command: [...row.command, ...IDLE] });
const tls = (row: Row): Row => ({
  name: `${row.name}, TLS`,
  command: [...row.command, "--tls"],
  serverArgs: ["--tls"],
});
const IN_NODE = [...LIMITS, CLIENT_NODE, KEYS, KEYS_DROP, OBJECTS, OBJECTS_DROP, DYNAMIC];
const MEMORY = [...LIMITS, KEYS, KEYS_DROP, KEYS_BYTES, OBJECTS, OBJECTS_DROP, DYNAMIC].map(idle);
const ONCE = { rounds: 1, burst: 0, rate: [500, 0] } as const;

export const ON_NODE_24 = "10000-node-24";

/** In the order in which they run. */
export const SUITES: readonly Suite[] = [
  {
    name: "10000",
    title: "10,000 pods of 6.5 KB",
    ...PODS,
    warmUp: 40_000,
    // The floor's second burst is as dear as its first one, until some 20,000 events have passed.
    burst: 60_000,
    rows: [
      ...[...LIMITS, CLIENT_NODE, KEYS, KEYS_DROP, KEYS_BYTES, OBJECTS, OBJECTS_DROP, DYNAMIC],
      ...[PROTOBUF, GO_JSON, clientGo("dynamic", ["--dynamic"]), KUBE_RS],
    ],
  },
  {
    name: ON_NODE_24,
    title: "10,000 pods of 6.5 KB, on Node 24",
    ...PODS,
    node: "node-24",
    warmUp: 40_000,
    burst: 60_000,
    rows: IN_NODE,
  },
  {
    name: "latency",
    title: "10,000 pods, 2,000 events a second",
    ...PODS,
    rounds: 1,
    burst: 16,
    rate: [2_000, 8_000],
    rows: [...LIMITS, CLIENT_NODE, KEYS, OBJECTS, DYNAMIC, PROTOBUF, GO_JSON, KUBE_RS],
  },
  {
    name: "100000",
    title: "100,000 pods of 6.5 KB",
    ...PODS,
    warmUp: 100_000,
    count: 100_000,
    rounds: 1,
    rows: [...LIMITS, KEYS, KEYS_DROP, KEYS_BYTES, OBJECTS, OBJECTS_DROP, DYNAMIC, PROTOBUF, KUBE_RS],
  },
  {
    name: "memory",
    title: "memory of 10,000 pods, idle",
    ...ONCE,
    burst: 16,
    count: 10_000,
    server: "pods",
    rows: [...MEMORY, idle(CLIENT_NODE)],
  },
  {
    name: "memory-100000",
    title: "memory of 100,000 pods, idle",
    ...ONCE,
    burst: 16,
    count: 100_000,
    server: "pods",
    rows: MEMORY,
  },
  {
    name: "1000000",
    title: "1,000,000 pods of 0.9 KB",
    ...PODS,
    count: 1_000_000,
    slim: true,
    rounds: 1,
    burst: 500_000,
    server: "pods in Node",
    rows: [KEYS],
  },
  {
    name: "relist",
    title: "100,000 pods listed again",
    ...ONCE,
    count: 100_000,
    server: "pods in Node",
    rows: [relist("keys"), relist("objects"), relist("dynamic")],
  },
  {
    name: "gzip",
    title: "a list of 10,000 pods, zipped and not",
    ...ONCE,
    rounds: 3,
    count: 10_000,
    server: "pods in Node",
    rows: [
      list("loopback"),
      list("loopback, zipped", "--gzip"),
      list("100 Mbit/s", "--mbit", "100"),
      list("100 Mbit/s, zipped", "--mbit", "100", "--gzip"),
    ],
  },
  {
    name: "tls",
    title: "10,000 pods, over TLS and not",
    ...PODS,
    rounds: 1,
    warmUp: 40_000,
    burst: 60_000,
    server: "pods in Node",
    rows: [CLIENT_NODE, tls(CLIENT_NODE), KEYS, tls(KEYS), OBJECTS, tls(OBJECTS)],
  },
  {
    name: "http2",
    title: "many informers over HTTP/2",
    ...ONCE,
    count: 10,
    server: "kinds over HTTP/2",
    rows: INFORMERS,
  },
  { name: "http1", title: "many informers over HTTP/1.1", ...ONCE, count: 10, server: "kinds", rows: INFORMERS },
];

/** What a suite's server is started with, but for what a row adds. */
export function serverOf({ server, count, slim = false }: Suite, address: string, withPeers: boolean): string[] {
  const args = ["--addr", address, "-n", String(count), ...(slim ? ["--slim"] : [])];
  if (server === "kinds") return node("test/bench/kinds-server.ts", ...args);
  if (server === "kinds over HTTP/2") return node("test/bench/kinds-server.ts", ...args, "--tls");
  return withPeers && server === "pods"
    ? [join(built, "loadserver"), ...args]
    : node("test/bench/load-server.ts", ...args);
}
