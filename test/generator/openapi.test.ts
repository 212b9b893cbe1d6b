// OpenAPI documents as a server publishes them: what is a resource, what can be watched, and what a hostile one gets.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { compile, generate, readTree, source, temporaryFolder } from "./support/project.js";

const gvk = (group: string, kind: string, version = "v1") => ({ group, kind, version });

function list(group: string, kind: string, schema: string, version = "v1"): object {
  return {
    "x-kubernetes-action": "list",
    "x-kubernetes-group-version-kind": gvk(group, kind, version),
    parameters: [{ name: "watch", in: "query" }],
    responses: { 200: { content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}List` } } } } },
  };
}

function kind(group: string, name: string, properties: object = {}): object {
  const typeMeta = {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { allOf: [{ $ref: `#/components/schemas/${meta}.ObjectMeta` }] },
  };
  return {
    type: "object",
    properties: { ...typeMeta, ...properties },
    "x-kubernetes-group-version-kind": [gvk(group, name)],
  };
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const core = "io.k8s.api.core.v1";

/** A small API: pods in namespaces, nodes without, a kind that can only be listed, and one that can only be created. */
function smallApi(): {
  openapi: string;
  paths: Record<string, object>;
  components: { schemas: Record<string, object> };
} {
  const status = { allOf: [{ $ref: `#/components/schemas/${core}.PodStatus` }], default: {} };
  return {
    openapi: "3.0.0",
    paths: {
      "/api/v1/": { get: {} },
      "/api/v1/pods": { get: list("", "Pod", `${core}.Pod`) },
      "/api/v1/namespaces/{namespace}/pods": { get: list("", "Pod", `${core}.Pod`), post: {} },
      "/api/v1/namespaces/{namespace}/pods/{name}": { get: {} },
      "/api/v1/namespaces/{namespace}/pods/{name}/status": { get: {} },
      "/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}": { get: {} },
      "/api/v1/watch/pods": { get: {} },
      "/api/v1/namespaces": { get: list("", "Namespace", `${core}.Namespace`) },
      "/api/v1/namespaces/{name}/finalize": { put: {} },
      "/api/v1/watch/namespaces": { get: {} },
      "/api/v1/componentstatuses": { get: list("", "ComponentStatus", `${core}.ComponentStatus`) },
      "/api/v1/namespaces/{namespace}/bindings": { post: {} },
      "/apis/example.com/v1/widgets": { get: list("example.com", "Widget", "com.example.v1.Widget") },
    },
    components: {
      schemas: {
        [`${core}.Pod`]: kind("", "Pod", { status }),
        [`${core}.PodStatus`]: { type: "object", properties: { phase: { type: "string", enum: ["Running"] } } },
        [`${core}.Namespace`]: kind("", "Namespace"),
        [`${core}.ComponentStatus`]: kind("", "ComponentStatus"),
        [`${core}.Binding`]: kind("", "Binding"),
        [`${core}.Unused`]: { type: "object", properties: { a: { $ref: "http://example.com/never-read" } } },
        "com.example.v1.Widget": kind("example.com", "Widget", {
          spec: { type: "object", properties: { size: { type: "integer" } } },
        }),
        [`${meta}.ObjectMeta`]: { type: "object" },
      },
    },
  };
}

async function fromFile(content: unknown) {
  const folder = temporaryFolder();
  const out = join(folder, "generated");
  const outcome = await generate("--openapi", source(folder, "openapi.json", content), "--out", out);
  return { ...outcome, folder, files: outcome.code === 0 ? readTree(out) : {} };
}

describe("a document", () => {
  it("gives resources with scope and subresources; what cannot be watched has a type alone", async () => {
    const { code, out, folder, files } = await fromFile(smallApi());
    expect(code).toBe(0);
    expect(out).toContain("2 groups, 3 resources");
    expect(files["core/v1/pod.ts"]).toContain(
      'scope: "Namespaced",\n  listKind: "PodList",\n  subresources: ["proxy", "status"],',
    );
    expect(files["core/v1/namespace.ts"]).toContain(
      'scope: "Cluster",\n  listKind: "NamespaceList",\n  subresources: ["finalize"],',
    );
    expect(files["example.com/v1/widget.ts"]).toContain('ResourceDescriptor<Widget, "Cluster">');
    expect(files["core/v1/types.ts"]).toContain("export interface ComponentStatus {");
    expect(files["core/v1/types.ts"]).toContain('phase?: "Running";');
    expect(files["core/v1/types.ts"]).not.toMatch(/Binding|Unused/);
    expect(Object.keys(files)).not.toContain("core/v1/component-status.ts");
    expect(
      compile(folder, 'export { pods, type Pod, type ComponentStatus } from "./generated/core/v1/index.js";\n'),
    ).toEqual([]);
  });

  it("of version 2 gives the same", async () => {
    const { openapi: _openapi, components, paths } = smallApi();
    const second = JSON.parse(
      JSON.stringify({ swagger: "2.0", paths, definitions: components.schemas }).replaceAll(
        "#/components/schemas/",
        "#/definitions/",
      ),
    );
    expect((await fromFile(second)).files).toEqual((await fromFile(smallApi())).files);
  });

  /** Deployments, which use a type of core that nothing in core leads to. */
  const apps = {
    openapi: "3.0.0",
    paths: {
      "/apis/apps/v1/deployments": { get: list("apps", "Deployment", "x") },
      "/apis/apps/v1/watch/deployments": { get: {} },
    },
    components: {
      schemas: {
        "io.k8s.api.apps.v1.Deployment": kind("apps", "Deployment", {
          status: { $ref: `#/components/schemas/${core}.PodStatus` },
          spec: { $ref: `#/components/schemas/${core}.ForOthers` },
        }),
        [`${core}.PodStatus`]: { type: "object", properties: { phase: { type: "string", enum: ["Running"] } } },
        [`${core}.ForOthers`]: { type: "object", properties: { a: { type: "string" } } },
      },
    },
  };

  it("of one group joins another, and neither takes away a type that the other needs", async () => {
    const folder = temporaryFolder();
    const out = join(folder, "generated");
    const add = (document: object) => generate("--openapi", source(folder, "input.json", document), "--out", out);
    const whole = smallApi();
    Object.assign(whole.components.schemas, { [`${core}.ForOthers`]: apps.components.schemas[`${core}.ForOthers`] });

    expect(await add(apps)).toMatchObject({ code: 0 });
    expect(readTree(out)["core/v1/types.ts"]).not.toContain("interface Pod {");
    expect(await add(whole)).toMatchObject({ code: 0 });
    const types = readTree(out)["core/v1/types.ts"];
    expect(types).toMatch(/interface ForOthers [\s\S]*interface Pod [\s\S]*interface PodStatus /);
    expect(compile(folder)).toEqual([]);

    expect(await add(apps)).toMatchObject({ code: 0 });
    expect(readTree(out)["core/v1/types.ts"]).toBe(types);
    expect(await add(smallApi())).toMatchObject({
      code: 6,
      err: expect.stringMatching(/core\/v1\/types would lose ForOthers, .*\nhint: give all sources in one run/),
    });
    expect(readTree(out)["core/v1/types.ts"]).toBe(types);
  });
});

describe("refused", () => {
  const change = (edit: (api: ReturnType<typeof smallApi>) => void) => {
    const api = smallApi();
    edit(api);
    return api;
  };
  const podStatus = (schema: object) =>
    change((api) => Object.assign(api.components.schemas, { [`${core}.PodStatus`]: schema }));
  const nested = (levels: number) => `${'{"type":"array","items":'.repeat(levels)}{}${"}".repeat(levels)}`;

  it.each<[string, object, number, RegExp]>([
    ["no OpenAPI", { hello: 1 }, 3, /is no OpenAPI document\nhint: expected "openapi"/],
    [
      "nothing that can be listed",
      { openapi: "3.0.0", paths: {}, components: {} },
      3,
      /no resource that can be listed/,
    ],
    [
      "a kind without a schema",
      change((api) => delete api.components.schemas[`${core}.Pod`]),
      3,
      /lists pods and has no schema of kind Pod\nhint: /,
    ],
    [
      "a $ref to a host",
      podStatus({ type: "object", properties: { a: { $ref: "http://127.0.0.1:1/x" } } }),
      3,
      /\$ref "http:\/\/127\.0\.0\.1:1\/x" does not lead/,
    ],
    [
      "a $ref to a file",
      podStatus({ type: "object", properties: { a: { $ref: "file:///etc/passwd" } } }),
      3,
      /does not lead/,
    ],
    [
      "a $ref to nothing",
      podStatus({ type: "object", properties: { a: { $ref: "#/components/schemas/io.k8s.x.v1.Y" } } }),
      3,
      /refers to io\.k8s\.x\.v1\.Y, which is not there/,
    ],
    [
      "a group that is a path",
      change((api) =>
        Object.assign(api.paths, { "/apis/..%2f..%2fetc/v1/widgets": { get: list("..%2f..%2fetc", "Widget", "x") } }),
      ),
      3,
      /no schema of kind Widget/,
    ],
    [
      "a plural that is none",
      change((api) => Object.assign(api.paths, { "/api/v1/Pods;rm": { get: list("", "Pod", "x") } })),
      3,
      /plural "Pods;rm" is not a name/,
    ],
    [
      "a schema that is too deep",
      podStatus(JSON.parse(`{"type":"object","properties":{"a":${nested(240)}}}`)),
      5,
      /nested deeper/,
    ],
    ["a document that is too deep", JSON.parse(`{"openapi":"3.0.0","paths":${nested(1000)}}`), 5, /nested deeper/],
  ])("%s", async (_what, document, code, message) => {
    expect(await fromFile(document)).toMatchObject({ code, err: expect.stringMatching(message), files: {} });
  });

  it("names that no folder or type can have stay in the folder", async () => {
    const key = "../../../etc.v1/../../x.Evil; export {}";
    const api = podStatus({
      type: "object",
      properties: { a: { $ref: `#/components/schemas/${key.replaceAll("/", "~1")}` } },
    });
    Object.assign(api.components.schemas, { [key]: { type: "object", properties: { b: { type: "string" } } } });
    const { code, folder, files } = await fromFile(api);
    expect(code).toBe(0);
    expect(Object.keys(files).filter((path) => path.includes(".."))).toEqual([]);
    expect(compile(folder)).toEqual([]);
  });
});

describe("from a URL", () => {
  async function serve(answers: Record<string, unknown>): Promise<string> {
    const server = createServer((request, response) => {
      const body = answers[request.url ?? ""];
      response.writeHead(body === undefined ? 404 : 200).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const index = (serverRelativeURL: unknown) => ({
    paths: { "api/v1": { serverRelativeURL }, version: { serverRelativeURL: "/never" } },
  });

  it("reads a document, or the index and what it names", async () => {
    const base = await serve({
      "/one.json": smallApi(),
      "/openapi/v3": index("/openapi/v3/api/v1?hash=A"),
      "/openapi/v3/api/v1?hash=A": smallApi(),
    });
    const folder = temporaryFolder();
    expect(await generate("--openapi", `${base}/one.json`, "--out", join(folder, "a"))).toMatchObject({ code: 0 });
    expect(await generate("--openapi", `${base}/openapi/v3`, "--out", join(folder, "b"))).toMatchObject({ code: 0 });
    expect(readTree(join(folder, "b"))).toEqual(readTree(join(folder, "a")));
  });

  it.each([
    "http://169.254.169.254/x",
    "//169.254.169.254/x",
    "/etc/passwd",
    "/openapi/v3/../../x",
    "/openapi/v3/%2e%2e/x",
    "/openapi/v3/\\evil",
    "/openapi/v3//evil",
  ])("G17: does not follow an index to %s", async (url) => {
    const base = await serve({ "/openapi/v3": index(url) });
    const outcome = await generate("--openapi", `${base}/openapi/v3`, "--out", join(temporaryFolder(), "a"));
    expect(outcome).toMatchObject({ code: 3, err: expect.stringContaining("only paths of the same server") });
  });

  it("says when nobody answers, or answers otherwise", async () => {
    const base = await serve({ "/text": undefined });
    const out = join(temporaryFolder(), "a");
    expect(await generate("--openapi", `${base}/gone`, "--out", out)).toMatchObject({
      code: 4,
      err: expect.stringContaining("answers 404"),
    });
    expect(await generate("--openapi", "http://127.0.0.1:1/x", "--out", out)).toMatchObject({
      code: 4,
      err: expect.stringContaining("cannot be reached"),
    });
  });
});
