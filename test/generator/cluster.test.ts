// A cluster as the generator meets it: a server on loopback that says what the test wants. test/cluster has a real one.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadCluster } from "../../generator/load/cluster.js";
import { generate, readTree, source, temporaryFolder } from "./support/project.js";

type Answer = { readonly status?: number; readonly body?: unknown };

const schema = {
  type: "object",
  properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
  "x-kubernetes-group-version-kind": [{ group: "example.com", version: "v1", kind: "Widget" }],
};
const document = {
  openapi: "3.0.0",
  paths: {
    "/apis/example.com/v1/widgets": {
      get: {
        "x-kubernetes-action": "list",
        "x-kubernetes-group-version-kind": { group: "example.com", version: "v1", kind: "Widget" },
      },
    },
  },
  components: { schemas: { "com.example.v1.Widget": schema } },
};
const discovered = {
  kind: "APIGroupDiscoveryList",
  items: [
    {
      metadata: { name: "example.com" },
      versions: [
        {
          version: "v1",
          resources: [
            {
              resource: "widgets",
              singularResource: "widget",
              verbs: ["list", "watch"],
              shortNames: ["wd"],
              categories: ["all"],
              scope: "Cluster",
            },
            { resource: "reviews", verbs: ["create"] },
          ],
        },
      ],
    },
  ],
};

/** A server that is asked in turn: each path answers its list of answers, the last one for ever. */
async function cluster(over: Record<string, readonly Answer[]> = {}, user: object = { token: "secret" }) {
  const answers: Record<string, Answer[]> = {};
  const all = {
    "/api": [{ body: { kind: "APIGroupDiscoveryList", items: [] } }],
    "/apis": [{ body: discovered }],
    "/openapi/v3": [
      { body: { paths: { "apis/example.com/v1": { serverRelativeURL: "/openapi/v3/apis/example.com/v1?hash=1" } } } },
    ],
    "/openapi/v3/apis/example.com/v1?hash=1": [{ body: document }],
    ...over,
  };
  for (const [path, list] of Object.entries(all)) answers[path] = [...list];
  const asked: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push({ path, authorization: request.headers.authorization });
    const list = answers[path] ?? [{ status: 404 }];
    const { status = 200, body } = list.length > 1 ? list.shift()! : list[0]!;
    response.writeHead(status).end(body === undefined ? "" : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const folder = temporaryFolder();
  const kubeconfig = source(folder, "kubeconfig", {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "c",
        cluster: {
          server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          "insecure-skip-tls-verify": true,
        },
      },
    ],
    users: [{ name: "u", user }],
    contexts: [{ name: "staging", context: { cluster: "c", user: "u" } }],
    "current-context": "staging",
  });
  return { asked, folder, kubeconfig, out: join(folder, "generated") };
}

const run = ({ kubeconfig, out }: { kubeconfig: string; out: string }, ...more: string[]) =>
  generate("--cluster", "--kubeconfig", kubeconfig, "--out", out, ...more);

const quiet = { step: () => {}, detail: () => {}, warn: () => {} };

describe("--cluster", () => {
  it("takes types from OpenAPI and the rest from discovery", async () => {
    const server = await cluster();
    expect(await run(server, "--context", "staging")).toMatchObject({ code: 0 });
    expect(readTree(server.out)["example.com/v1/widget.ts"]).toContain('shortNames: ["wd"],\n  categories: ["all"],');
    expect(server.asked.every(({ authorization }) => authorization === "Bearer secret")).toBe(true);
  });

  it("G27: leaves no trace of the cluster in the output", async () => {
    const server = await cluster();
    await run(server);
    expect(Object.values(readTree(server.out)).join("")).not.toMatch(/127\.0\.0\.1|staging|secret|hash=/);
  });

  it("believes discovery about what can be watched", async () => {
    const listOnly = JSON.parse(JSON.stringify(discovered).replace('"list","watch"', '"list"'));
    const server = await cluster({ "/apis": [{ body: listOnly }] });
    expect(await run(server)).toMatchObject({ code: 0, out: expect.stringContaining("0 resources") });
  });

  it("G31: asks again until every discovered kind has its schema", async () => {
    const path = "/openapi/v3/apis/example.com/v1?hash=1";
    const server = await cluster({ [path]: [{ body: { openapi: "3.0.0" } }, {}, { body: document }] });
    const source = { kubeconfig: server.kubeconfig, allowExec: false, allowPartial: false };
    const documents = await loadCluster(source, quiet, { withinMs: 10_000, everyMs: 0 });
    expect(documents.flatMap(({ resources }) => resources.map(({ kind }) => kind))).toEqual(["Widget"]);
    expect(server.asked.filter((request) => request.path === path)).toHaveLength(3);
  });

  it("gives up when a schema never comes, naming it; or leaves it out", async () => {
    const server = await cluster({ "/openapi/v3/apis/example.com/v1?hash=1": [{ body: { openapi: "3.0.0" } }] });
    const source = { kubeconfig: server.kubeconfig, allowExec: false };
    const patience = { withinMs: 0, everyMs: 0 };
    await expect(loadCluster({ ...source, allowPartial: false }, quiet, patience)).rejects.toMatchObject({
      code: "cluster",
      message: expect.stringContaining("no schema of widgets.v1.example.com"),
    });
    const warnings: string[] = [];
    const progress = { ...quiet, warn: (text: string) => warnings.push(text) };
    expect(await loadCluster({ ...source, allowPartial: true }, progress, patience)).toEqual([]);
    expect(warnings).toEqual(["left out: no schema of widgets.v1.example.com"]);
  });

  it.each([
    [401, /does not know who asks for \/openapi\/v3 \(401\)\nhint: log in/],
    [
      403,
      /does not allow to read \/openapi\/v3 \(403\)\nhint: the ClusterRole system:discovery allows it: nonResourceURLs/,
    ],
    [404, /answers 404 to \/openapi\/v3\nhint: OpenAPI v3 is served by Kubernetes 1\.24 and newer/],
    [503, /answers 503 to \/openapi\/v3\nhint: /],
  ])("G25: says what to do about %d", async (status, message) => {
    const server = await cluster({ "/openapi/v3": [{ status }] });
    expect(await run(server)).toMatchObject({ code: 4, err: expect.stringMatching(message) });
  });

  it("G24: names the group that an aggregated server fails to serve; or leaves it out", async () => {
    const paths = {
      "apis/example.com/v1": { serverRelativeURL: "/openapi/v3/apis/example.com/v1?hash=1" },
      "apis/broken.example.com/v1": { serverRelativeURL: "/openapi/v3/apis/broken.example.com/v1" },
    };
    const broken = {
      "/openapi/v3": [{ body: { paths } }],
      "/openapi/v3/apis/broken.example.com/v1": [{ status: 503 }],
    };
    const server = await cluster(broken);
    expect(await run(server)).toMatchObject({
      code: 4,
      err: expect.stringContaining("apis/broken.example.com/v1 answers 503"),
    });
    expect(await run(server, "--allow-partial")).toMatchObject({
      code: 0,
      err: expect.stringContaining("warning: left out: apis/broken.example.com/v1 answers 503"),
    });
  });

  it("G30: runs no program of a kubeconfig that was handed to it", async () => {
    const server = await cluster({}, { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "false" } });
    expect(await run(server)).toMatchObject({ code: 2, err: expect.stringContaining("hint: add --allow-exec") });
    expect(server.asked).toEqual([]);
  });

  it("says that a program which is to log in does not", async () => {
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "/nowhere/login" };
    const { code, err } = await run(await cluster({}, { exec }), "--allow-exec");
    expect(code).toBe(4);
    expect(err).toMatch(/no credentials for http:.*\/nowhere\/login.*\nhint: kubectl cluster-info/);
  });

  it("reads a server in the clear, as `kubectl proxy` is, and sends it no credentials", async () => {
    const server = await cluster();
    const config = readFileSync(server.kubeconfig, "utf8").replace('"insecure-skip-tls-verify"', '"other"');
    writeFileSync(server.kubeconfig, config);
    expect(await run(server)).toMatchObject({ code: 0 });
    expect(server.asked.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("wants a context that there is", async () => {
    const server = await cluster();
    expect(await run(server, "--context", "prod")).toMatchObject({
      code: 2,
      err: expect.stringContaining('no context "prod"'),
    });
  });
});
