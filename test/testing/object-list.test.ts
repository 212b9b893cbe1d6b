/** LIST: moments, pages, selectors. Each rule was recorded from a kube-apiserver 1.36. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer, VirtualClock } from "../../runtime/testing/index.js";
import {
  type Answer,
  CRON_TABS_PATH,
  configMaps,
  cronTab,
  cronTabDefinition,
  cronTabs,
  getJson,
  pods,
  sendJson,
  until,
} from "./support/client.js";

const PATH = "/api/v1/namespaces/default/configmaps";
const clock = new VirtualClock();
let server: EmbeddedApiServer;

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock });
});
afterEach(() => server.close());

function create(name: string, labels: Record<string, string> = {}, namespace = "default"): string {
  return server.create(configMaps, { metadata: { name, namespace, labels } }).metadata.resourceVersion ?? "";
}

function names({ body }: Answer): string[] {
  return body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
}

describe("the whole list", () => {
  it("is sorted by key, and says its kind once", async () => {
    for (const name of ["b", "a", "c-1", "c"]) create(name);
    const answer = await getJson(server, PATH);
    expect(names(answer)).toEqual(["a", "b", "c", "c-1"]);
    expect(answer.body.items[0]).not.toHaveProperty("kind");
    expect(answer.body).toMatchObject({
      kind: "ConfigMapList",
      apiVersion: "v1",
      metadata: { resourceVersion: server.resourceVersion },
    });
  });

  it("of custom resources says the kind of each item", async () => {
    server.install(cronTabDefinition());
    server.create(cronTabs, cronTab("a"));
    const { body } = await getJson(server, CRON_TABS_PATH);
    expect(body).toMatchObject({
      kind: "CronTabList",
      items: [{ kind: "CronTab", apiVersion: "stable.example.com/v1" }],
    });
  });

  it("of all namespaces is ordered by namespace", async () => {
    create("a", {}, "kube-system");
    create("b");
    expect(names(await getJson(server, "/api/v1/configmaps"))).toEqual(["b", "a"]);
    expect(names(await getJson(server, "/api/v1/namespaces/nowhere/configmaps"))).toEqual([]);
  });

  it("is compressed when it is long and the client accepts it", async () => {
    server.create(configMaps, { metadata: { name: "big" }, data: { text: "x".repeat(200_000) } });
    expect((await getJson(server, PATH)).headers.get("content-encoding")).toBe("gzip");
    expect((await getJson(server, PATH, { "Accept-Encoding": "identity" })).headers.get("content-encoding")).toBeNull();
  });
});

describe("selectors", () => {
  beforeEach(() => {
    create("a", { tier: "web", env: "prod" });
    create("b", { tier: "web" });
    create("c", { tier: "db" });
  });

  it.each([
    ["labelSelector=tier%3Dweb", ["a", "b"]],
    ["labelSelector=tier+in+(web,db),env", ["a"]],
    ["labelSelector=tier!%3Dweb", ["c"]],
    ["labelSelector=!env", ["b", "c"]],
    ["fieldSelector=metadata.name%3Db", ["b"]],
    ["fieldSelector=metadata.name!%3Db,metadata.namespace%3D%3Ddefault", ["a", "c"]],
    ["fieldSelector=metadata.name%3D", []],
    ["fieldSelector=", ["a", "b", "c"]],
  ])("%s", async (query, expected) => {
    expect(names(await getJson(server, `${PATH}?${query}`))).toEqual(expected);
  });

  it.each([
    ["labelSelector=a%3D%3D%3Db", /^unable to parse requirement/],
    ["fieldSelector=foo%3Dbar", /^"foo" is not a known field selector: only "metadata.name", "metadata.namespace"$/],
    ["fieldSelector=foo", /^invalid selector: 'foo'; can't understand 'foo'$/],
    ["limit=abc", /invalid syntax/],
    ["continue=abc", /^invalid continue token/],
  ])("%s is a bad request", async (query, message) => {
    const { status, body } = await getJson(server, `${PATH}?${query}`);
    expect([status, body.reason]).toEqual([400, "BadRequest"]);
    expect(body.message).toMatch(message);
  });

  it("reads fields of pods, and those that a definition names", async () => {
    server.create(pods, { metadata: { name: "p" }, spec: { nodeName: "n1" } });
    const podNames = async (selector: string) =>
      names(await getJson(server, `/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`));
    expect(await podNames("spec.nodeName=n1,status.phase=Pending")).toEqual(["p"]);
    expect(await podNames("status.phase!=Pending")).toEqual([]);
    expect(await podNames("spec.hostNetwork=false")).toEqual(["p"]);
    expect(await podNames("spec.hostNetwork=true")).toEqual([]);
    server.install(cronTabDefinition());
    server.create(cronTabs, cronTab("c"));
    expect(names(await getJson(server, `${CRON_TABS_PATH}?fieldSelector=spec.image%3Dbusybox`))).toEqual(["c"]);
    const { status, body } = await getJson(server, `${CRON_TABS_PATH}?fieldSelector=spec.cronSpec%3Dx`);
    expect([status, body.message]).toEqual([400, "field label not supported: spec.cronSpec"]);
  });
});

describe("pages", () => {
  beforeEach(() => {
    for (const name of ["a", "b", "c", "d", "e"]) create(name);
  });

  it("are of one moment, whatever is written in between", async () => {
    const first = await getJson(server, `${PATH}?limit=2`);
    expect(names(first)).toEqual(["a", "b"]);
    expect(first.body.metadata.remainingItemCount).toBe(3);
    server.delete(configMaps, "c");
    create("b2");
    server.patch(configMaps, "d", { data: { changed: "yes" } });
    const second = await getJson(server, `${PATH}?limit=2&continue=${first.body.metadata.continue}`);
    expect(names(second)).toEqual(["c", "d"]);
    expect(second.body.items[1]).not.toHaveProperty("data");
    const third = await getJson(server, `${PATH}?limit=2&continue=${second.body.metadata.continue}`);
    expect(names(third)).toEqual(["e"]);
    expect(third.body.metadata).toEqual({ resourceVersion: first.body.metadata.resourceVersion });
  });

  it("do not count what is left when there is a selector", async () => {
    const { body } = await getJson(server, `${PATH}?limit=1&fieldSelector=metadata.name!%3Da`);
    expect(body.items[0].metadata.name).toBe("b");
    expect(body.metadata).not.toHaveProperty("remainingItemCount");
  });

  it("after a compaction are expired, with a token for an inconsistent rest", async () => {
    const first = await getJson(server, `${PATH}?limit=2`);
    create("c2");
    server.compact();
    const expired = await getJson(server, `${PATH}?limit=2&continue=${first.body.metadata.continue}`);
    expect(expired.status).toBe(410);
    expect(expired.body).toMatchObject({ reason: "Expired", code: 410, metadata: { continue: expect.any(String) } });
    const rest = await getJson(server, `${PATH}?limit=3&continue=${expired.body.metadata.continue}`);
    expect(names(rest)).toEqual(["c", "c2", "d"]);
    expect(rest.body.metadata.resourceVersion).toBe(server.resourceVersion);
    expect(names(await getJson(server, `${PATH}?continue=${rest.body.metadata.continue}`))).toEqual(["e"]);
  });

  it("take no resourceVersion beside the token", async () => {
    const first = await getJson(server, `${PATH}?limit=2`);
    const { status, body } = await getJson(
      server,
      `${PATH}?resourceVersion=4&continue=${first.body.metadata.continue}`,
    );
    expect([status, body.message]).toEqual([400, "specifying resource version is not allowed when using continue"]);
  });

  it("are not made at resourceVersion 0", async () => {
    const answer = await getJson(server, `${PATH}?limit=1&resourceVersion=0`);
    expect(names(answer)).toHaveLength(5);
    expect(answer.body.metadata).not.toHaveProperty("continue");
  });
});

describe("resourceVersion", () => {
  it("Exact is that moment; so is one with a limit and no match", async () => {
    const before = create("a");
    create("b");
    for (const query of [
      `resourceVersion=${before}&resourceVersionMatch=Exact`,
      `resourceVersion=${before}&limit=10`,
    ]) {
      const answer = await getJson(server, `${PATH}?${query}`);
      expect(names(answer)).toEqual(["a"]);
      expect(answer.body.metadata.resourceVersion).toBe(before);
    }
    expect(names(await getJson(server, `${PATH}?resourceVersion=${before}`))).toEqual(["a", "b"]);
    expect(names(await getJson(server, `${PATH}?resourceVersion=${before}&resourceVersionMatch=NotOlderThan`))).toEqual(
      ["a", "b"],
    );
  });

  it("Exact and too old is 410", async () => {
    const before = create("a");
    create("b");
    server.compact();
    const { status, body } = await getJson(server, `${PATH}?resourceVersion=${before}&resourceVersionMatch=Exact`);
    expect([status, body.reason]).toEqual([410, "Expired"]);
  });

  it("from the future is waited for 3 s, then 504", async () => {
    const answer = getJson(server, `${PATH}?resourceVersion=9999`);
    await until(() => clock.pendingTimers === 1);
    await clock.advance(2_999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    const { status, headers, body } = await answer;
    expect([status, headers.get("retry-after")]).toEqual([504, "1"]);
    expect(body).toMatchObject({
      reason: "Timeout",
      details: {
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        retryAfterSeconds: 1,
      },
    });
    expect(body.message).toBe(`Timeout: Too large resource version: 9999, current: ${server.resourceVersion}`);
  });

  it("that comes while it is waited for is answered", async () => {
    const next = String(Number(server.resourceVersion) + 1);
    const answer = getJson(server, `${PATH}?resourceVersion=${next}`);
    await until(() => clock.pendingTimers === 1);
    create("a");
    expect(names(await answer)).toEqual(["a"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is let go of when the client goes", async () => {
    const abort = new AbortController();
    const asked = fetch(`${server.url}${PATH}?resourceVersion=9999`, { signal: abort.signal }).catch(() => "gone");
    await until(() => clock.pendingTimers === 1);
    abort.abort();
    expect(await asked).toBe("gone");
    await until(() => clock.pendingTimers === 0);
  });

  it("that is no number is a bad request here, and an error without a reason for GET and WATCH", async () => {
    expect((await getJson(server, `${PATH}?resourceVersion=abc`)).body).toMatchObject({
      code: 400,
      reason: "BadRequest",
    });
    for (const path of [`${PATH}?watch=1&resourceVersion=abc`, "/api/v1/namespaces/default?resourceVersion=abc"]) {
      const { status, body } = await getJson(server, path);
      expect(status).toBe(500);
      expect(body).not.toHaveProperty("reason");
    }
  });

  it.each([
    ["resourceVersionMatch=Exact", "resourceVersionMatch", "FieldValueForbidden"],
    ["resourceVersionMatch=Exact&resourceVersion=0", "resourceVersionMatch", "FieldValueForbidden"],
    ["resourceVersionMatch=Foo&resourceVersion=1", "resourceVersionMatch", "FieldValueNotSupported"],
    ["sendInitialEvents=true", "sendInitialEvents", "FieldValueForbidden"],
    ["watch=1&sendInitialEvents=true", "resourceVersionMatch", "FieldValueForbidden"],
    ["watch=1&resourceVersionMatch=NotOlderThan", "resourceVersionMatch", "FieldValueForbidden"],
    ["watch=1&sendInitialEvents=true&resourceVersionMatch=Exact", "resourceVersionMatch", "FieldValueForbidden"],
    ["watch=1&continue=abc", "resourceVersionMatch", "FieldValueForbidden"],
  ])("%s is invalid", async (query, field, reason) => {
    const { status, body } = await getJson(server, `${PATH}?${query}`);
    expect(status).toBe(422);
    expect(body).toMatchObject({ reason: "Invalid", details: { group: "meta.k8s.io", kind: "ListOptions" } });
    expect(body.details.causes[0]).toMatchObject({ field, reason });
  });
});

describe("other shapes", () => {
  const Table = { Accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };

  it("is a table for those who read it", async () => {
    create("a");
    await clock.advance(65_000);
    const { body } = await getJson(server, PATH, Table);
    expect(body).toMatchObject({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: server.resourceVersion },
    });
    expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "Age"]);
    expect(body.rows).toMatchObject([
      { cells: ["a", "65s"], object: { kind: "PartialObjectMetadata", metadata: { name: "a" } } },
    ]);
    expect((await getJson(server, `${PATH}?includeObject=None`, Table)).body.rows[0]).not.toHaveProperty("object");
    expect((await getJson(server, `${PATH}/a?includeObject=Object`, Table)).body.rows[0].object.kind).toBe("ConfigMap");
  });

  it("has the columns of a definition", async () => {
    server.install(cronTabDefinition());
    server.create(cronTabs, cronTab("c"));
    const { body } = await getJson(server, CRON_TABS_PATH, Table);
    expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "Spec", "Age"]);
    expect(body.rows[0].cells).toEqual(["c", "* * * * *", "0s"]);
  });

  it("is metadata alone for those who want no more", async () => {
    server.create(configMaps, { metadata: { name: "a" }, data: { k: "v" } });
    const list = { Accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" };
    const one = { Accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" };
    const { body } = await getJson(server, PATH, list);
    expect(body).toMatchObject({ kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" });
    expect(Object.keys(body.items[0])).toEqual(["kind", "apiVersion", "metadata"]);
    expect((await getJson(server, `${PATH}/a`, one)).body.kind).toBe("PartialObjectMetadata");
    expect((await getJson(server, PATH, one)).status).toBe(406);
    expect((await getJson(server, `${PATH}/a`, list)).status).toBe(406);
  });

  it("is JSON for those who would rather have protobuf, and nothing for those who want no JSON", async () => {
    expect(
      (await getJson(server, PATH, { Accept: "application/vnd.kubernetes.protobuf,application/json" })).status,
    ).toBe(200);
    expect((await getJson(server, PATH, { Accept: "text/html" })).body).toMatchObject({
      code: 406,
      reason: "NotAcceptable",
    });
  });
});

describe("deleting a collection", () => {
  it("deletes what is selected and answers with it", async () => {
    create("a", { keep: "no" });
    create("b");
    const { body } = await sendJson(server, "DELETE", `${PATH}?labelSelector=keep%3Dno`);
    expect(body).toMatchObject({ kind: "ConfigMapList", items: [{ metadata: { name: "a" } }] });
    expect(server.list(configMaps).map(({ metadata }) => metadata.name)).toEqual(["b"]);
  });
});
