/** What the server says it serves. The facts of the table were read from a kube-apiserver 1.36. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbeddedApiServer } from "../../runtime/testing/index.js";
import { compareVersions } from "../../runtime/testing/resource-registry.js";
import { cronTabDefinition, getJson } from "./support/client.js";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await EmbeddedApiServer.start();
  server.install(cronTabDefinition());
});
afterAll(() => server.close());

describe("health and version", () => {
  it.each(["/healthz", "/livez", "/readyz"])("%s is ok", async (path) => {
    const { status, text, headers } = await getJson(server, path);
    expect([status, text, headers.get("content-type")]).toEqual([200, "ok", "text/plain; charset=utf-8"]);
  });

  it("is a Kubernetes 1.36", async () => {
    expect((await getJson(server, "/version")).body).toMatchObject({ major: "1", minor: "36" });
  });
});

describe("discovery, group by group", () => {
  it("lists core and the named groups, custom ones last", async () => {
    expect((await getJson(server, "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    const { body } = await getJson(server, "/apis");
    const names = body.groups.map(({ name }: { name: string }) => name);
    expect(names).toHaveLength(21);
    expect([names[0], names.at(-1)]).toEqual(["apiregistration.k8s.io", "stable.example.com"]);
  });

  it("prefers the newer version of a group", async () => {
    const { body } = await getJson(server, "/apis/autoscaling");
    expect(body).toMatchObject({
      kind: "APIGroup",
      preferredVersion: { groupVersion: "autoscaling/v2", version: "v2" },
    });
    expect(body.versions).toHaveLength(2);
  });

  it("describes a resource and its subresources", async () => {
    const { body } = await getJson(server, "/api/v1");
    const find = (name: string) => body.resources.find((resource: { name: string }) => resource.name === name);
    expect(find("pods")).toMatchObject({
      singularName: "pod",
      namespaced: true,
      kind: "Pod",
      shortNames: ["po"],
      categories: ["all"],
    });
    expect(find("pods/status")).toMatchObject({ kind: "Pod", verbs: ["get", "patch", "update"] });
    expect(find("pods/eviction")).toMatchObject({
      group: "policy",
      version: "v1",
      kind: "Eviction",
      verbs: ["create"],
    });
    expect(find("componentstatuses").verbs).toEqual(["get", "list"]);
  });

  it("serves 61 kinds that can be listed, with ComponentStatus one that cannot be watched", async () => {
    const { body } = await getJson(server, "/apis");
    const versions = [
      "/api/v1",
      ...body.groups.flatMap((group: { versions: { groupVersion: string }[] }) =>
        group.versions.map((one) => `/apis/${one.groupVersion}`),
      ),
    ];
    const lists = await Promise.all(
      versions.filter((path) => !path.includes("example.com")).map((path) => getJson(server, path)),
    );
    const resources = lists.flatMap((list) => list.body.resources) as { name: string; verbs: string[] }[];
    const listable = resources.filter(({ verbs }) => verbs.includes("list"));
    expect(listable).toHaveLength(61);
    expect(listable.filter(({ verbs }) => !verbs.includes("watch")).map(({ name }) => name)).toEqual([
      "componentstatuses",
    ]);
  });

  it("describes a custom resource", async () => {
    const { body } = await getJson(server, "/apis/stable.example.com/v1");
    expect(body.resources.map(({ name }: { name: string }) => name)).toEqual([
      "crontabs",
      "crontabs/status",
      "crontabs/scale",
    ]);
    expect(body.resources[0]).toMatchObject({
      singularName: "crontab",
      namespaced: true,
      kind: "CronTab",
      shortNames: ["ct"],
      categories: ["all"],
    });
    expect(body.resources[2]).toMatchObject({ group: "autoscaling", version: "v1", kind: "Scale" });
  });
});

describe("aggregated discovery", () => {
  const Accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

  it("says the same in two answers", async () => {
    const core = await getJson(server, "/api", { Accept });
    expect(core.headers.get("content-type")).toBe(
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    );
    expect(core.body).toMatchObject({
      kind: "APIGroupDiscoveryList",
      items: [{ versions: [{ version: "v1", freshness: "Current" }] }],
    });
    const { body } = await getJson(server, "/apis", { Accept });
    const group = body.items.find(
      (item: { metadata: { name: string } }) => item.metadata.name === "stable.example.com",
    );
    expect(group.versions[0].resources[0]).toMatchObject({
      resource: "crontabs",
      responseKind: { group: "stable.example.com", version: "v1", kind: "CronTab" },
      scope: "Namespaced",
      singularResource: "crontab",
      subresources: [{ subresource: "status" }, { subresource: "scale", responseKind: { kind: "Scale" } }],
    });
  });
});

describe("what is not served", () => {
  it.each([
    "/nope",
    "/apis/nope.io",
    "/apis/nope.io/v1/foos",
    "/apis/stable.example.com/v9/crontabs",
    "/apis/stable.example.com/v1/foos",
  ])("%s is a page not found", async (path) => {
    const { status, text, headers } = await getJson(server, path);
    expect([status, text, headers.get("content-type")]).toEqual([
      404,
      "404 page not found\n",
      "text/plain; charset=utf-8",
    ]);
  });

  it.each([
    "/api/v2",
    "/apis/apps/v9",
    "/apis/apps/v1/foos",
    "/api/v1/pods/x",
    "/api/v1/namespaces/default/nodes/x",
    "/api/v1/configmaps/a",
  ])("%s is a Status, as its group is known", async (path) => {
    const { status, body } = await getJson(server, path);
    expect(status).toBe(404);
    expect(body).toMatchObject({
      kind: "Status",
      reason: "NotFound",
      message: "the server could not find the requested resource",
      details: {},
    });
  });
});

describe("OpenAPI v3", () => {
  it("has a document for each version, under a hash that names it for ever", async () => {
    const { body } = await getJson(server, "/openapi/v3");
    expect(Object.keys(body.paths)).toContain("api/v1");
    const url = body.paths["apis/stable.example.com/v1"].serverRelativeURL;
    expect(url).toMatch(/^\/openapi\/v3\/apis\/stable\.example\.com\/v1\?hash=[0-9A-F]{64}$/);
    const old = await fetch(`${server.url}/openapi/v3/apis/stable.example.com/v1?hash=OLD`, { redirect: "manual" });
    expect([old.status, old.headers.get("location")]).toEqual([301, url]);
    expect((await getJson(server, "/openapi/v3/apis/nope/v1")).status).toBe(404);
    expect((await getJson(server, "/openapi/v3/apis/v1")).status).toBe(404);
  });

  it("publishes a custom resource by the reverse of its group", async () => {
    const { body } = await getJson(server, "/openapi/v3/apis/stable.example.com/v1");
    expect(body.openapi).toBe("3.0.0");
    expect(Object.keys(body.paths)).toEqual([
      "/apis/stable.example.com/v1/crontabs",
      "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs",
      "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}",
      "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}/scale",
      "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}/status",
    ]);
    expect(body.paths["/apis/stable.example.com/v1/crontabs"].get).toMatchObject({
      operationId: "listStableExampleComV1CronTabForAllNamespaces",
      "x-kubernetes-action": "list",
      "x-kubernetes-group-version-kind": { group: "stable.example.com", version: "v1", kind: "CronTab" },
    });
    const schema = body.components.schemas["com.example.stable.v1.CronTab"];
    expect(schema["x-kubernetes-group-version-kind"]).toEqual([
      { group: "stable.example.com", kind: "CronTab", version: "v1" },
    ]);
    expect(schema.properties.metadata).toEqual({
      allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }],
    });
    expect(schema.properties.spec.properties.replicas).toEqual({ type: "integer", minimum: 0, maximum: 10 });
    expect(body.components.schemas["com.example.stable.v1.CronTabList"].properties.items.items).toEqual({
      $ref: "#/components/schemas/com.example.stable.v1.CronTab",
    });
  });

  it("refers only to schemas that are there", async () => {
    const { body: index } = await getJson(server, "/openapi/v3");
    for (const { serverRelativeURL } of Object.values(index.paths) as { serverRelativeURL: string }[]) {
      const { body, text } = await getJson(server, serverRelativeURL);
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
        expect(Object.keys(body.components.schemas)).toContain(name);
      }
    }
  });

  it("spells out int-or-string and embedded resources", async () => {
    await using other = await EmbeddedApiServer.start();
    const properties = {
      port: { "x-kubernetes-int-or-string": true },
      template: {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
      },
    };
    other.install(cronTabDefinition({ schema: { type: "object", properties } }));
    const { body } = await getJson(other, "/openapi/v3/apis/stable.example.com/v1");
    const published = body.components.schemas["com.example.stable.v1.CronTab"].properties;
    expect(published.port).toEqual({
      "x-kubernetes-int-or-string": true,
      anyOf: [{ type: "integer" }, { type: "string" }],
    });
    expect(Object.keys(published.template.properties)).toEqual(["apiVersion", "kind", "metadata"]);
  });
});

describe("the order of versions", () => {
  it("is stable, beta, alpha, others", () => {
    const versions = ["v1alpha1", "foo10", "v10", "v2beta1", "foo1", "v1", "v2", "v11alpha2", "v2beta3"];
    expect(versions.sort(compareVersions)).toEqual([
      "v10",
      "v2",
      "v1",
      "v2beta3",
      "v2beta1",
      "v11alpha2",
      "v1alpha1",
      "foo1",
      "foo10",
    ]);
  });
});
