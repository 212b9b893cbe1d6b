/** From a CustomResourceDefinition to its resources. Each rule was recorded from a kube-apiserver 1.36. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer } from "../../runtime/testing/index.js";
import {
  CRON_TABS_PATH,
  cronTab,
  cronTabDefinition,
  cronTabs,
  definitions,
  getJson,
  namespaces,
  sendJson,
} from "./support/client.js";

const DEFINITIONS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MERGE = { "Content-Type": "application/merge-patch+json" };
let server: EmbeddedApiServer;

beforeEach(async () => {
  server = await EmbeddedApiServer.start();
});
afterEach(() => server.close());

/** The version of {@link cronTabDefinition} under another name. */
function version(name: string, overrides: object = {}): object {
  const [v1] = (cronTabDefinition() as { spec: { versions: object[] } }).spec.versions;
  return { ...v1, name, storage: false, ...overrides };
}

describe("a definition", () => {
  it("is served as soon as it is there, with its defaults and conditions", async () => {
    const { status, body } = await sendJson(server, "POST", DEFINITIONS_PATH, cronTabDefinition());
    expect(status).toBe(201);
    expect(body.spec).toMatchObject({
      names: { singular: "crontab", listKind: "CronTabList" },
      conversion: { strategy: "None" },
    });
    expect(body.status).toMatchObject({ acceptedNames: { plural: "crontabs" }, storedVersions: ["v1"] });
    const conditions = body.status.conditions.map(
      ({ type, status }: { type: string; status: string }) => `${type}=${status}`,
    );
    expect(conditions).toEqual(["NamesAccepted=True", "Established=True"]);
    expect((await getJson(server, CRON_TABS_PATH)).body).toMatchObject({ kind: "CronTabList", items: [] });
  });

  it("serves every version that is served, of the same objects", async () => {
    server.install(
      cronTabDefinition({
        versions: [version("v1", { storage: true }), version("v2"), version("v3", { served: false })],
      }),
    );
    server.create(cronTabs, cronTab("a"));
    const at = (name: string) => getJson(server, `${CRON_TABS_PATH.replace("/v1/", `/${name}/`)}/a`);
    expect((await at("v2")).body).toMatchObject({
      apiVersion: "stable.example.com/v2",
      kind: "CronTab",
      spec: { image: "busybox" },
    });
    expect((await at("v3")).text).toBe("404 page not found\n");
    const group = await getJson(server, "/apis/stable.example.com");
    expect(group.body.preferredVersion.version).toBe("v2");
  });

  it("warns of a version that is deprecated", async () => {
    server.install(
      cronTabDefinition({ versions: [version("v1", { storage: true }), version("v1beta1", { deprecated: true })] }),
    );
    const { headers } = await getJson(server, CRON_TABS_PATH.replace("/v1/", "/v1beta1/"));
    expect(headers.get("warning")).toBe(
      '299 - "stable.example.com/v1beta1 CronTab is deprecated; use stable.example.com/v1 CronTab"',
    );
  });

  it("of the scope Cluster has no namespaces in its paths", async () => {
    server.install(cronTabDefinition({ scope: "Cluster" }));
    const path = "/apis/stable.example.com/v1/crontabs";
    expect((await sendJson(server, "POST", path, cronTab("a"))).status).toBe(201);
    expect((await getJson(server, `${path}/a`)).body.metadata).not.toHaveProperty("namespace");
    expect((await getJson(server, CRON_TABS_PATH)).text).toBe("404 page not found\n");
  });

  it("waits for its objects' finalizers when it is deleted", () => {
    server.install(cronTabDefinition());
    server.create(cronTabs, { ...cronTab("a"), metadata: { name: "a", finalizers: ["example.com/one"] } });
    server.delete(definitions, "crontabs.stable.example.com");
    const conditions = server.get(definitions, "crontabs.stable.example.com")?.["status"] as {
      conditions: { type: string }[];
    };
    expect(conditions.conditions.map(({ type }) => type)).toContain("Terminating");
    server.patch(cronTabs, "a", { metadata: { finalizers: null } });
    expect(server.get(definitions, "crontabs.stable.example.com")).toBeUndefined();
  });

  it("goes with the objects of all namespaces", () => {
    server.install(cronTabDefinition());
    server.create(namespaces, { metadata: { name: "n" } });
    server.create(cronTabs, { ...cronTab("a"), metadata: { name: "a", namespace: "n" } });
    server.delete(definitions, "crontabs.stable.example.com");
    server.install(cronTabDefinition());
    expect(server.list(cronTabs)).toEqual([]);
  });

  const spec = {
    group: "y.io",
    scope: "Namespaced",
    names: { plural: "foos", kind: "Foo" },
    versions: [version("v1", { storage: true })],
  };
  it.each<[string, string, object, string]>([
    ["another name than its plural and group", "x.y", spec, "metadata.name"],
    ["no group", "foos.y.io", { ...spec, group: undefined }, "spec.group"],
    ["a group that leads elsewhere", "foos.y.io", { ...spec, group: "../../x" }, "spec.group"],
    [
      "a plural that is a prototype",
      "foos.y.io",
      { ...spec, names: { plural: "__proto__", kind: "Foo" } },
      "spec.names.plural",
    ],
    ["a kind that is code", "foos.y.io", { ...spec, names: { plural: "foos", kind: "Foo;evil()" } }, "spec.names.kind"],
    ["no scope", "foos.y.io", { ...spec, scope: undefined }, "spec.scope"],
    [
      "no schema",
      "foos.y.io",
      { ...spec, versions: [{ name: "v1", served: true, storage: true }] },
      "spec.versions[0].schema.openAPIV3Schema",
    ],
    [
      "the same version twice",
      "foos.y.io",
      { ...spec, versions: [version("v1", { storage: true }), version("v1")] },
      "spec.versions",
    ],
    ["no storage version", "foos.y.io", { ...spec, versions: [version("v1")] }, "spec.versions"],
    ["no versions", "foos.y.io", { ...spec, versions: undefined }, "spec.versions"],
  ])("is refused with %s", async (_what, name, bad, field) => {
    const { status, body } = await sendJson(server, "POST", DEFINITIONS_PATH, { metadata: { name }, spec: bad });
    expect([status, body.reason]).toEqual([422, "Invalid"]);
    expect(body.details.causes.map((cause: { field: string }) => cause.field)).toContain(field);
  });
});

describe("an object", () => {
  beforeEach(() => server.install(cronTabDefinition()));

  it("is pruned and given its defaults, with a warning", async () => {
    const sent = { ...cronTab("a", { cronSpec: "x", bogus: 1 }), extra: 1, status: { replicas: 4 } };
    const { status, body, headers } = await sendJson(server, "POST", CRON_TABS_PATH, sent);
    expect(status).toBe(201);
    expect(body).toMatchObject({ metadata: { generation: 1 }, spec: { cronSpec: "x", image: "busybox" } });
    expect([body.spec.bogus, body.extra, body.status]).toEqual([undefined, undefined, undefined]);
    expect(headers.get("warning")).toBe('299 - "unknown field \\"spec.bogus\\"", 299 - "unknown field \\"extra\\""');
    expect(
      (
        await sendJson(server, "POST", `${CRON_TABS_PATH}?fieldValidation=Ignore`, { ...sent, metadata: { name: "b" } })
      ).headers.get("warning"),
    ).toBeNull();
  });

  it("with unknown fields is refused by those who are strict", async () => {
    const sent = { ...cronTab("a", { cronSpec: "x", bogus: 1 }), metadata: { name: "a", foo: 1 } };
    const { status, body } = await sendJson(server, "POST", `${CRON_TABS_PATH}?fieldValidation=Strict`, sent);
    expect(status).toBe(400);
    expect(body.message).toBe(
      'CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "metadata.foo", unknown field "spec.bogus"',
    );
  });

  it("is validated, every time", async () => {
    const created = await sendJson(server, "POST", CRON_TABS_PATH, cronTab("a", { cronSpec: 5, replicas: 11 }));
    expect(created.status).toBe(422);
    expect(created.body).toMatchObject({
      reason: "Invalid",
      details: { name: "a", group: "stable.example.com", kind: "CronTab" },
    });
    expect(created.body.details.causes).toEqual([
      {
        reason: "FieldValueTypeInvalid",
        message: 'Invalid value: "integer": spec.cronSpec in body must be of type string: "integer"',
        field: "spec.cronSpec",
      },
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: 11: spec.replicas in body should be less than or equal to 10",
        field: "spec.replicas",
      },
    ]);
    server.create(cronTabs, cronTab("a"));
    expect((await sendJson(server, "PATCH", `${CRON_TABS_PATH}/a`, { spec: { replicas: -1 } }, MERGE)).status).toBe(
      422,
    );
    expect(
      (await sendJson(server, "PATCH", `${CRON_TABS_PATH}/a/scale`, { spec: { replicas: 99 } }, MERGE)).status,
    ).toBe(422);
  });

  it("has to say its kind, and the resourceVersion that it replaces", async () => {
    expect((await sendJson(server, "POST", CRON_TABS_PATH, { metadata: { name: "a" } })).status).toBe(400);
    expect((await sendJson(server, "POST", CRON_TABS_PATH, { ...cronTab("a"), apiVersion: undefined })).status).toBe(
      400,
    );
    const other = await sendJson(server, "POST", CRON_TABS_PATH, { ...cronTab("a"), kind: "Foo" });
    expect([other.status, other.body.details.causes[0].field]).toEqual([422, "kind"]);
    server.create(cronTabs, cronTab("a"));
    const { status, body } = await sendJson(server, "PUT", `${CRON_TABS_PATH}/a`, cronTab("a"));
    expect([status, body.details.causes[0].field]).toEqual([422, "metadata.resourceVersion"]);
    const { group: _, ...elsewhere } = body.details;
    expect(elsewhere.kind).toBe("crontabs");
  });

  it("counts changes of anything but metadata and status", () => {
    const generation = (patch: object, subresource?: string) =>
      server.patch(cronTabs, "a", patch, subresource === undefined ? {} : { subresource }).metadata.generation;
    server.create(cronTabs, cronTab("a"));
    expect(generation({ metadata: { labels: { x: "y" } } })).toBe(1);
    expect(generation({ status: { replicas: 1 } })).toBe(1);
    expect(generation({ status: { replicas: 1 } }, "status")).toBe(1);
    expect(generation({ spec: { replicas: 2 } })).toBe(2);
  });

  it("keeps metadata and spec when its status is written", () => {
    server.create(cronTabs, cronTab("a"));
    const patch = { metadata: { labels: { x: "y" } }, spec: { replicas: 5 }, status: { replicas: 9 } };
    const object = server.patch(cronTabs, "a", patch, { subresource: "status" });
    expect(object).toMatchObject({ spec: { cronSpec: "* * * * *" }, status: { replicas: 9 } });
    expect(object.metadata.labels).toBeUndefined();
  });

  it("is not patched strategically", async () => {
    server.create(cronTabs, cronTab("a"));
    const strategic = { "Content-Type": "application/strategic-merge-patch+json" };
    expect((await sendJson(server, "PATCH", `${CRON_TABS_PATH}/a`, {}, strategic)).status).toBe(415);
  });

  it("scales by the paths of its definition", async () => {
    server.create(cronTabs, cronTab("a", { cronSpec: "x", replicas: 3 }));
    expect((await getJson(server, `${CRON_TABS_PATH}/a/scale`)).body).toMatchObject({
      kind: "Scale",
      spec: { replicas: 3 },
      status: { replicas: 0 },
    });
    await sendJson(server, "PATCH", `${CRON_TABS_PATH}/a/scale`, { spec: { replicas: 7 } }, MERGE);
    expect(server.get(cronTabs, "a")).toMatchObject({ spec: { cronSpec: "x", replicas: 7 } });
  });

  it("without a status subresource has its status in the object", async () => {
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const versions = [{ name: "v1", served: true, storage: true, schema }];
    server.patch(definitions, "crontabs.stable.example.com", { spec: { versions } });
    const object = server.create(cronTabs, { ...cronTab("a"), status: { ready: true } });
    expect(object).toMatchObject({ metadata: { generation: 1 }, status: { ready: true } });
    expect(server.patch(cronTabs, "a", { status: { ready: false } }).metadata.generation).toBe(2);
    expect((await getJson(server, `${CRON_TABS_PATH}/a/status`)).status).toBe(404);
  });
});
