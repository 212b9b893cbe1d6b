/** Create, update, patch and scale, and their refusals. Each rule was recorded from a kube-apiserver 1.36. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer, VirtualClock } from "../../runtime/testing/index.js";
import { configMaps, deployments, getJson, pods, sendJson } from "./support/client.js";

const PATH = "/api/v1/namespaces/default/configmaps";
const MERGE = { "Content-Type": "application/merge-patch+json" };
let server: EmbeddedApiServer;

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) });
});
afterEach(() => server.close());

describe("create", () => {
  it("answers with the object, and what the server gave it", async () => {
    const { status, body } = await sendJson(server, "POST", PATH, {
      metadata: { name: "a", generation: 7, uid: "mine" },
      data: { k: "v" },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: {
        name: "a",
        namespace: "default",
        uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        resourceVersion: server.resourceVersion,
        creationTimestamp: "2026-01-02T03:04:05Z",
      },
      data: { k: "v" },
    });
    expect((await getJson(server, `${PATH}/a`)).body).toEqual(body);
  });

  it("generates a name", async () => {
    const { body } = await sendJson(server, "POST", PATH, { metadata: { generateName: "web-" } });
    expect(body.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(body.metadata.generateName).toBe("web-");
  });

  it("ignores a status, where that is written on its own", () => {
    const pod = server.create(pods, { metadata: { name: "p" }, spec: {}, status: { phase: "Running" } });
    expect(pod).toMatchObject({ metadata: { generation: 1 }, status: { phase: "Pending" } });
  });

  it("turns a Secret's stringData into data", () => {
    const secret = server.create(
      { group: "", version: "v1", resource: "secrets" },
      { metadata: { name: "s" }, stringData: { k: "välue" } },
    );
    expect(secret).toMatchObject({ data: { k: "dsOkbHVl" } });
    expect(secret).not.toHaveProperty("stringData");
  });

  it("as a dry run changes nothing", async () => {
    const before = server.resourceVersion;
    const { status, body } = await sendJson(server, "POST", `${PATH}?dryRun=All`, { metadata: { name: "a" } });
    expect([status, body.metadata.name]).toEqual([201, "a"]);
    expect([server.get(configMaps, "a"), server.resourceVersion]).toEqual([undefined, before]);
    expect((await sendJson(server, "POST", `${PATH}?dryRun=Some`, { metadata: { name: "a" } })).status).toBe(422);
  });

  const object = { metadata: { name: "q" } };
  it.each<[string, string, unknown, number, string | undefined, RegExp]>([
    [
      "one that is there",
      PATH,
      { metadata: { name: "there" } },
      409,
      "AlreadyExists",
      /^configmaps "there" already exists$/,
    ],
    ["in no namespace", "/api/v1/configmaps", object, 405, "MethodNotAllowed", /method/],
    [
      "in one that is not",
      "/api/v1/namespaces/nope/configmaps",
      object,
      404,
      "NotFound",
      /^namespaces "nope" not found$/,
    ],
    [
      "in another than its own",
      PATH,
      { metadata: { name: "q", namespace: "other" } },
      400,
      "BadRequest",
      /namespace of the provided object/,
    ],
    [
      "of another kind",
      PATH,
      { ...object, kind: "Pod", apiVersion: "v1" },
      400,
      "BadRequest",
      /cannot be handled as a ConfigMap/,
    ],
    [
      "with a resourceVersion",
      PATH,
      { metadata: { name: "q", resourceVersion: "5" } },
      500,
      undefined,
      /should not be set/,
    ],
    ["without a name", PATH, { metadata: {} }, 422, "Invalid", /name or generateName is required/],
    [
      "with a bad name",
      PATH,
      { metadata: { name: "A_b" } },
      422,
      "Invalid",
      /^ConfigMap "A_b" is invalid: metadata.name/,
    ],
    [
      "with a bad label",
      PATH,
      { metadata: { name: "q", labels: { ["__proto__"]: "x", "-": "y" } } },
      422,
      "Invalid",
      /metadata.labels/,
    ],
    [
      "with a bad label's value",
      PATH,
      { metadata: { name: "q", labels: { a: "b c" } } },
      422,
      "Invalid",
      /a valid label/,
    ],
    [
      "with a bad annotation",
      PATH,
      { metadata: { name: "q", annotations: { "a b": "" } } },
      422,
      "Invalid",
      /metadata.annotations/,
    ],
    [
      "with a label that is no text",
      PATH,
      { metadata: { name: "q", labels: { a: 1 } } },
      400,
      "BadRequest",
      /map of strings/,
    ],
    [
      "with a finalizer of nobody",
      PATH,
      { metadata: { name: "q", finalizers: ["a"] } },
      422,
      "Invalid",
      /fully qualified/,
    ],
    ["that is no JSON", PATH, "{bad", 400, "BadRequest", /json parse error/],
    ["that is no object", PATH, "[1]", 400, "BadRequest", /not a JSON object/],
    ["nothing", PATH, "", 400, "BadRequest", /not a JSON object/],
  ])("refuses %s", async (_what, path, body, code, reason, message) => {
    server.create(configMaps, { metadata: { name: "there" } });
    const answer = await sendJson(server, "POST", path, body);
    expect(answer.status).toBe(code);
    expect(answer.body).toMatchObject({ kind: "Status", status: "Failure", code });
    expect(answer.body.reason).toBe(reason);
    expect(answer.body.message).toMatch(message);
  });

  it("refuses what is not JSON by its type", async () => {
    const { status, body } = await sendJson(server, "POST", PATH, "a: b", { "Content-Type": "application/yaml" });
    expect([status, body.reason]).toEqual([415, "UnsupportedMediaType"]);
  });

  it("refuses a body of more than 3 MiB", async () => {
    const answer = await sendJson(server, "POST", PATH, {
      metadata: { name: "a" },
      data: { text: "x".repeat(4 * 1024 * 1024) },
    });
    expect([answer.status, answer.body.reason]).toEqual([413, "RequestEntityTooLarge"]);
  });
});

describe("update", () => {
  it("replaces, and moves the resourceVersion on", async () => {
    const { metadata } = server.create(configMaps, { metadata: { name: "a", labels: { x: "y" } }, data: { k: "v" } });
    const { body } = await sendJson(server, "PUT", `${PATH}/a`, {
      metadata: { name: "a", creationTimestamp: null },
      data: { k: "w" },
    });
    expect(body).toMatchObject({
      metadata: { uid: metadata.uid, creationTimestamp: metadata.creationTimestamp },
      data: { k: "w" },
    });
    expect(body.metadata).not.toHaveProperty("labels");
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion));
  });

  it("that changes nothing is no event and no new resourceVersion", async () => {
    const object = server.create(configMaps, { metadata: { name: "a" }, data: { k: "v" } });
    const { body } = await sendJson(server, "PUT", `${PATH}/a`, object);
    expect(body.metadata.resourceVersion).toBe(object.metadata.resourceVersion);
    expect(server.resourceVersion).toBe(object.metadata.resourceVersion);
  });

  it.each<[string, string, object, number, string, RegExp]>([
    [
      "an old resourceVersion",
      "a",
      { name: "a", resourceVersion: "1" },
      409,
      "Conflict",
      /the object has been modified/,
    ],
    ["another uid", "a", { name: "a", uid: "x" }, 409, "Conflict", /UID in precondition: x/],
    [
      "another name",
      "a",
      { name: "b" },
      400,
      "BadRequest",
      /^the name of the object \(b\) does not match the name on the URL \(a\)$/,
    ],
    ["no name", "a", {}, 400, "BadRequest", /name must be provided$/],
    ["what is not there", "zz", { name: "zz" }, 404, "NotFound", /^configmaps "zz" not found$/],
  ])("refuses %s", async (_what, name, metadata, code, reason, message) => {
    server.create(configMaps, { metadata: { name: "a" } });
    const { status, body } = await sendJson(server, "PUT", `${PATH}/${name}`, { metadata });
    expect([status, body.reason]).toEqual([code, reason]);
    expect(body.message).toMatch(message);
  });

  it("of some built-in resources has to say the resourceVersion", async () => {
    const leases = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
    server.create(leases, { metadata: { name: "l" } });
    const { status, body } = await sendJson(server, "PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", {
      metadata: { name: "l" },
    });
    expect([status, body.details.causes[0].field]).toEqual([422, "metadata.resourceVersion"]);
  });

  it("counts changes of the spec, where the resource does", () => {
    const generation = () => server.get(deployments, "d")?.metadata.generation;
    server.create(deployments, { metadata: { name: "d" }, spec: { replicas: 1 } });
    server.patch(deployments, "d", { metadata: { labels: { a: "b" } } });
    expect(generation()).toBe(1);
    server.patch(deployments, "d", { spec: { replicas: 2 } });
    expect(generation()).toBe(2);
    server.patch(deployments, "d", { status: { replicas: 2 } }, { subresource: "status" });
    expect(generation()).toBe(2);
    expect(server.create(configMaps, { metadata: { name: "c" } }).metadata.generation).toBeUndefined();
  });

  it("keeps status and spec apart", () => {
    server.create(deployments, { metadata: { name: "d" }, spec: { replicas: 1 } });
    const main = server.patch(deployments, "d", { spec: { replicas: 2 }, status: { replicas: 9 } });
    expect(main).toMatchObject({ spec: { replicas: 2 }, status: {} });
    expect(main["status"]).toEqual({});
    const status = server.patch(
      deployments,
      "d",
      { spec: { replicas: 3 }, status: { replicas: 9 } },
      { subresource: "status" },
    );
    expect(status).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 9 } });
  });
});

describe("patch", () => {
  it("takes the three kinds, and no other", async () => {
    server.create(deployments, {
      metadata: { name: "d" },
      spec: { template: { spec: { containers: [{ name: "a" }, { name: "b" }] } } },
    });
    const path = "/apis/apps/v1/namespaces/default/deployments/d";
    const send = (type: string, body: unknown) => sendJson(server, "PATCH", path, body, { "Content-Type": type });
    const containers = (list: object[]) => ({ spec: { template: { spec: { containers: list } } } });
    expect(
      (await send("application/strategic-merge-patch+json", containers([{ name: "b", image: "i" }]))).body,
    ).toMatchObject(containers([{ name: "a" }, { name: "b", image: "i" }]));
    expect(
      (await send("application/json-patch+json", [{ op: "remove", path: "/spec/template/spec/containers/0" }])).body,
    ).toMatchObject(containers([{ name: "b", image: "i" }]));
    expect((await send("application/merge-patch+json", containers([{ name: "c" }]))).body).toMatchObject(
      containers([{ name: "c" }]),
    );
    for (const type of ["application/apply-patch+yaml", "application/json"]) {
      const { status, body } = await send(type, {});
      expect([status, body.reason]).toEqual([415, "UnsupportedMediaType"]);
    }
  });

  it.each<[string, unknown, number, string]>([
    ["another name", { metadata: { name: "z" } }, 400, "BadRequest"],
    ["another uid", { metadata: { uid: "z" } }, 422, "Invalid"],
    ["an old resourceVersion", { metadata: { resourceVersion: "1" } }, 409, "Conflict"],
    ["another kind", { kind: "Pod" }, 422, "Invalid"],
    ["a deletion", { metadata: { deletionTimestamp: "2020-01-01T00:00:00Z" } }, 422, "Invalid"],
    ["no metadata", { metadata: null }, 400, "BadRequest"],
    ["what is no patch", [1], 400, "BadRequest"],
  ])("refuses %s", async (_what, patch, code, reason) => {
    server.create(configMaps, { metadata: { name: "a" } });
    const { status, body } = await sendJson(server, "PATCH", `${PATH}/a`, patch, MERGE);
    expect([status, body.reason]).toEqual([code, reason]);
  });
});

describe("scale", () => {
  const path = "/apis/apps/v1/namespaces/default/deployments/d/scale";

  it("is read, patched and replaced as a Scale", async () => {
    server.create(deployments, {
      metadata: { name: "d" },
      spec: { replicas: 1, selector: { matchLabels: { a: "b" } } },
    });
    const { body } = await getJson(server, path);
    expect(body).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 1 },
      status: { replicas: 0, selector: "a=b" },
    });
    expect((await sendJson(server, "PATCH", path, { spec: { replicas: 5 } }, MERGE)).body.spec.replicas).toBe(5);
    expect(server.get(deployments, "d")).toMatchObject({
      metadata: { generation: 2 },
      spec: { replicas: 5, selector: { matchLabels: { a: "b" } } },
    });
    expect((await sendJson(server, "PUT", path, body)).status).toBe(409);
    const { resourceVersion: _, ...metadata } = body.metadata;
    expect((await sendJson(server, "PUT", path, { ...body, metadata })).body.spec.replicas).toBe(1);
  });
});
