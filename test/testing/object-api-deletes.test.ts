/** Delete, namespaces, and what is refused for its path or name. Each rule was recorded from a kube-apiserver 1.36. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer, VirtualClock } from "../../runtime/testing/index.js";
import { configMaps, getJson, namespaces, pods, sendJson, summary, Watch } from "./support/client.js";

const PATH = "/api/v1/namespaces/default/configmaps";
const MERGE = { "Content-Type": "application/merge-patch+json" };
let server: EmbeddedApiServer;

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) });
});
afterEach(() => server.close());

describe("delete", () => {
  it("answers with a Status, or with the object where the real server does", async () => {
    const { metadata } = server.create(configMaps, { metadata: { name: "a" } });
    const { body } = await sendJson(server, "DELETE", `${PATH}/a`);
    expect(body).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "a", kind: "configmaps", uid: metadata.uid },
    });
    expect((await sendJson(server, "DELETE", `${PATH}/a`)).body).toMatchObject({
      code: 404,
      message: 'configmaps "a" not found',
    });
    server.create(pods, { metadata: { name: "p" } });
    expect((await sendJson(server, "DELETE", "/api/v1/namespaces/default/pods/p")).body).toMatchObject({
      kind: "Pod",
      metadata: { name: "p" },
    });
  });

  it("compares preconditions", async () => {
    const { metadata } = server.create(configMaps, { metadata: { name: "a" } });
    for (const preconditions of [{ uid: "x" }, { resourceVersion: "1" }]) {
      const { status, body } = await sendJson(server, "DELETE", `${PATH}/a`, { preconditions });
      expect([status, body.reason]).toEqual([409, "Conflict"]);
    }
    const { uid, resourceVersion } = metadata;
    expect((await sendJson(server, "DELETE", `${PATH}/a`, { preconditions: { uid, resourceVersion } })).status).toBe(
      200,
    );
  });

  it("waits for finalizers, and takes no new ones", async () => {
    server.create(configMaps, { metadata: { name: "a", finalizers: ["example.com/one"] } });
    await using watch = await Watch.open(server, `${PATH}?resourceVersion=${server.resourceVersion}`);
    const { body } = await sendJson(server, "DELETE", `${PATH}/a`);
    expect(body.metadata).toMatchObject({ deletionTimestamp: "2026-01-02T03:04:05Z", deletionGracePeriodSeconds: 0 });
    expect((await sendJson(server, "DELETE", `${PATH}/a`)).body.metadata.resourceVersion).toBe(
      body.metadata.resourceVersion,
    );
    const added = await sendJson(
      server,
      "PATCH",
      `${PATH}/a`,
      { metadata: { finalizers: ["example.com/two"] } },
      MERGE,
    );
    expect([added.status, added.body.details.causes[0].field]).toEqual([422, "metadata.finalizers"]);
    expect((await sendJson(server, "PATCH", `${PATH}/a`, { metadata: { finalizers: null } }, MERGE)).status).toBe(200);
    expect(server.get(configMaps, "a")).toBeUndefined();
    expect((await watch.take(2)).map(summary)).toEqual(["MODIFIED a", "DELETED a"]);
  });

  it("as a dry run leaves it there", async () => {
    server.create(configMaps, { metadata: { name: "a" } });
    expect((await sendJson(server, "DELETE", `${PATH}/a?dryRun=All`)).status).toBe(200);
    expect((await sendJson(server, "DELETE", `${PATH}/a`, { dryRun: ["All"] })).status).toBe(200);
    expect(server.get(configMaps, "a")).toBeDefined();
  });
});

describe("a namespace", () => {
  it("is Active, labelled, and there before anything in it", () => {
    expect(server.list(namespaces).map(({ metadata }) => metadata.name)).toEqual([
      "default",
      "kube-node-lease",
      "kube-public",
      "kube-system",
    ]);
    expect(server.get(namespaces, "default")).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "default" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  });

  it("takes its objects with it", async () => {
    server.create(namespaces, { metadata: { name: "n" } });
    for (const resource of [configMaps, pods]) server.create(resource, { metadata: { name: "a", namespace: "n" } });
    await using watch = await Watch.open(server, `/api/v1/namespaces?resourceVersion=${server.resourceVersion}`);
    await sendJson(server, "DELETE", "/api/v1/namespaces/n");
    expect([server.list(configMaps), server.list(pods), server.get(namespaces, "n")]).toEqual([[], [], undefined]);
    const events = await watch.take(2);
    expect(events.map(summary)).toEqual(["MODIFIED n", "DELETED n"]);
    expect(events[0]?.object).toMatchObject({
      metadata: { deletionTimestamp: expect.any(String) },
      status: { phase: "Terminating" },
    });
  });

  it("waits for the last of them, and takes no new ones", async () => {
    server.create(namespaces, { metadata: { name: "n" } });
    server.create(configMaps, { metadata: { name: "a", namespace: "n", finalizers: ["example.com/one"] } });
    server.delete(namespaces, "n");
    expect(server.get(namespaces, "n")).toMatchObject({ status: { phase: "Terminating" } });
    const { status, body } = await sendJson(server, "POST", "/api/v1/namespaces/n/configmaps", {
      metadata: { name: "b" },
    });
    expect([status, body.reason, body.details.causes[0].reason]).toEqual([403, "Forbidden", "NamespaceTerminating"]);
    server.patch(configMaps, "a", { metadata: { finalizers: null } }, { namespace: "n" });
    expect(server.get(namespaces, "n")).toBeUndefined();
  });
});

describe("two groups, one object", () => {
  it("an Event is seen in both", () => {
    server.create({ group: "", version: "v1", resource: "events" }, { metadata: { name: "e" } });
    const event = server.get({ group: "events.k8s.io", version: "v1", resource: "events" }, "e");
    expect(event).toMatchObject({ apiVersion: "events.k8s.io/v1", kind: "Event" });
  });
});

describe("questions", () => {
  it("are answered, not stored: everything is allowed", async () => {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const { status, body } = await sendJson(server, "POST", path, {
      spec: { resourceAttributes: { verb: "list", resource: "pods" } },
    });
    expect([status, body.kind, body.status.allowed]).toEqual([201, "SelfSubjectAccessReview", true]);
    expect((await getJson(server, path)).status).toBe(405);
  });
});

describe("methods that are not allowed", () => {
  it.each([
    ["PUT", PATH],
    ["POST", `${PATH}/a`],
    ["OPTIONS", `${PATH}/a`],
    ["HEAD", `${PATH}/a`],
    ["DELETE", "/api/v1/namespaces"],
    ["POST", "/api/v1/namespaces/default/pods/p/exec"],
    ["POST", "/api/v1/namespaces/default/bindings"],
  ])("%s %s", async (method, path) => {
    const body = method === "PUT" || method === "POST" ? {} : undefined;
    expect((await sendJson(server, method, path, body)).status).toBe(405);
  });
});

describe("names that JavaScript knows", () => {
  it.each(["constructor", "tostring", "hasownproperty", "prototype"])(
    "an object and a namespace called %s",
    async (name) => {
      server.create(namespaces, { metadata: { name } });
      server.create(configMaps, { metadata: { name, namespace: name, labels: { [name]: name } } });
      const { body } = await getJson(server, `/api/v1/namespaces/${name}/configmaps?labelSelector=${name}%3D${name}`);
      expect(body.items[0].metadata.name).toBe(name);
      expect(server.list(configMaps, { labelSelector: "toString" })).toEqual([]);
    },
  );

  it("keys of data are data", async () => {
    const text = '{"metadata":{"name":"a"},"data":{"__proto__":"p","constructor":"c","toString":"t"}}';
    await sendJson(server, "POST", PATH, text);
    await sendJson(server, "PATCH", `${PATH}/a`, '{"data":{"__proto__":"q"},"__proto__":{"polluted":"yes"}}', MERGE);
    const { text: answer } = await getJson(server, `${PATH}/a`);
    expect(answer).toContain('"__proto__":"q"');
    expect(answer).toContain('"constructor":"c","toString":"t"');
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it("annotations hold any text", () => {
    const text = "\u0000\u001b[31m\u202e\u2028</script>";
    const object = server.create(configMaps, { metadata: { name: "a", annotations: { text } } });
    expect(object.metadata.annotations).toEqual({ text });
  });
});

describe("paths", () => {
  it.each(["/api/v1/namespaces/..%2f..%2fx/configmaps/a", "/api/v1/namespaces/default/configmaps/%"])(
    "%s leads nowhere",
    async (path) => {
      expect((await getJson(server, path)).status).toBe(404);
    },
  );
});
