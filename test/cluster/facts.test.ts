/** What a real server answers where the other tests have a scripted or the embedded one in its place: that these say the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { EmbeddedApiServer } from "kube-informers/testing";
import { expect, onTestFinished, test } from "vitest";
import { type Answer, ApiClient } from "./support/api-client.js";
import { client, ownCluster, temporaryFolder, temporaryNamespace } from "./support/harness.js";
import { until } from "./support/until.js";

interface Status {
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly causes?: readonly { readonly reason: string }[]; readonly retryAfterSeconds?: number };
}

interface WatchEvent {
  readonly type: string;
  readonly object: Status & { readonly kind: string; readonly metadata: { readonly annotations?: object } };
}

/** What a reader of the answer can go by; words are each server's own. */
function gist({ status, headers, body }: Answer): object {
  const contentType = headers["content-type"]?.split(";")[0];
  const text = body.toString();
  if (contentType !== "application/json") return { status, contentType };
  if (status >= 300) {
    const { reason, code, details } = JSON.parse(text) as Status;
    return { status, reason, code, causes: details?.causes?.map((cause) => cause.reason) };
  }
  const values = text.split("\n").filter((line) => line !== "");
  const events = values.map((line) => JSON.parse(line) as WatchEvent);
  return { status, events: events.filter((event, at) => at === 0 || !isPlainBookmark(event)).map(gistOf) };
}

/** The real server says where it stands once a minute, which may be any moment, after what it was asked for. */
function isPlainBookmark({ type, object }: WatchEvent): boolean {
  return type === "BOOKMARK" && object.metadata.annotations === undefined;
}

function gistOf({ type, object }: WatchEvent): object {
  if (type === "ERROR") return { type, code: object.code, reason: object.reason };
  return { type, kind: object.kind, annotations: object.metadata.annotations };
}

const FUTURE = "999999999";
const FACTS: readonly [fact: string, query: string, expected: object][] = [
  [
    "a list from the future: 504 after three seconds, with a cause",
    `resourceVersion=${FUTURE}`,
    { status: 504, reason: "Timeout", code: 504, causes: ["ResourceVersionTooLarge"] },
  ],
  [
    "a watch from the future: silence until its end",
    `watch=true&resourceVersion=${FUTURE}&allowWatchBookmarks=true&timeoutSeconds=4`,
    { status: 200, events: [] },
  ],
  [
    "a streaming list from the future: an error in the stream after three seconds",
    `watch=true&resourceVersion=${FUTURE}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=9`,
    { status: 200, events: [{ type: "ERROR", code: 504, reason: "Timeout" }] },
  ],
  [
    "a streaming list that does not say how its version is meant: 422",
    "watch=true&sendInitialEvents=true&timeoutSeconds=4",
    { status: 422, reason: "Invalid", code: 422, causes: ["FieldValueForbidden"] },
  ],
  [
    "a streaming list of nothing: a bookmark of the resource's kind that says so",
    "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1&labelSelector=none",
    {
      status: 200,
      events: [{ type: "BOOKMARK", kind: "ConfigMap", annotations: { "k8s.io/initial-events-end": "true" } }],
    },
  ],
  [
    "a resourceVersion that is none: 500 without a reason",
    "watch=true&resourceVersion=abc",
    { status: 500, reason: undefined, code: 500, causes: undefined },
  ],
];

/** The real server, and the embedded one that stands for it elsewhere. */
async function servers(): Promise<[name: string, api: ApiClient][]> {
  const embedded = await EmbeddedApiServer.start();
  onTestFinished(() => embedded.close());
  const path = join(temporaryFolder(), "kubeconfig");
  writeFileSync(path, embedded.kubeConfig().exportConfig());
  return [
    ["real", client],
    ["embedded", ApiClient.fromFile(path)],
  ];
}

test.for(FACTS)("%s", async ([, query, expected]) => {
  for (const [name, api] of await servers()) {
    const namespace = await temporaryNamespace(api);
    expect(gist(await api.answer(`/api/v1/namespaces/${namespace}/configmaps?${query}`)), name).toEqual(expected);
  }
});

test.for([
  ["a group that is not served: 404 in plain words", "/apis/none.example.com/v1/things", "text/plain"],
  ["a resource that its group does not have: 404 as text too", "/apis/apps/v1/things", "application/json"],
] as const)("%s", async ([, path, contentType]) => {
  for (const [name, api] of await servers()) {
    const { status, headers } = await api.answer(path);
    expect([status, headers["content-type"]?.split(";")[0]], name).toEqual([404, contentType]);
  }
});

test("a list of whatever version has no pages; one of the newest has", async () => {
  for (const [name, api] of await servers()) {
    const path = `/api/v1/namespaces/${await temporaryNamespace(api)}/configmaps`;
    for (const one of ["one", "two", "three"]) await api.create(path, { metadata: { name: one } });
    await until(
      "the watch cache to have all",
      async () => (await api.list(`${path}?resourceVersion=0`)).items.length >= 3,
    );
    expect((await api.list(`${path}?resourceVersion=0&limit=1`)).items.length, name).toBeGreaterThanOrEqual(3);
    expect((await api.list(`${path}?limit=1`)).items, name).toHaveLength(1);
  }
});

test("a list is zipped when that is asked for and it is large; a watch never is", async () => {
  for (const [name, api] of await servers()) {
    const path = `/api/v1/namespaces/${await temporaryNamespace(api)}/configmaps`;
    await api.create(path, { metadata: { name: "large" }, data: { text: "0123456789".repeat(20_000) } });
    const zipped = { "accept-encoding": "gzip" };
    const list = await api.answer(path, zipped);
    expect(list.headers["content-encoding"], name).toBe("gzip");
    expect(gunzipSync(list.body).toString(), name).toContain("0123456789");
    const watch = await api.answer(`${path}?watch=true&timeoutSeconds=1`, zipped);
    expect(watch.headers["content-encoding"], name).toBeUndefined();
  }
});

test("P13 a continue token that compaction has outlived: 410, with another token that gives the rest", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const path = "/api/v1/namespaces/default/configmaps";
  for (const name of ["a", "b", "c"]) await api.create(path, { metadata: { name } });
  const first = await api.answer(`${path}?limit=1`);
  const next = async (answer: Answer) => {
    const token = (JSON.parse(answer.body.toString()) as { metadata: { continue: string } }).metadata.continue;
    return api.answer(`${path}?limit=5&continue=${encodeURIComponent(token)}`);
  };
  await api.delete(`${path}/b`);
  await cluster.compact();
  // The server has what is newer than the compaction in its own cache, too.
  await cluster.killApiServer();
  await cluster.startApiServer();
  const expired = await next(first);
  expect(gist(expired)).toMatchObject({ status: 410, reason: "Expired" });
  const rest = JSON.parse((await next(expired)).body.toString()) as { items: { metadata: { name: string } }[] };
  expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(["c"]);
});
