/** The controls that tests turn: faults, restarts, credentials, the log. */
import { once } from "node:events";
import { connect, type Http2Session } from "node:http2";
import { createConnection } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ApiError, EmbeddedApiServer, isApiError, VirtualClock } from "../../runtime/testing/index.js";
import { certificate } from "../support/certificate.js";
import {
  configMaps,
  cronTab,
  cronTabDefinition,
  cronTabs,
  definitions,
  getJson,
  namespaces,
  pods,
  sendJson,
  summary,
  until,
  Watch,
} from "./support/client.js";

const PATH = "/api/v1/namespaces/default/configmaps";
let clock: VirtualClock;
let server: EmbeddedApiServer;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await EmbeddedApiServer.start({ clock });
});
afterEach(async () => {
  await server.close();
  expect(clock.pendingTimers).toBe(0);
});

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    return cause?.code ?? String(error);
  }
  return "no failure";
}

describe("the methods", () => {
  it("read and write without HTTP, and a watch has heard of it when they return", async () => {
    await using watch = await Watch.open(server, PATH);
    const created = server.create(configMaps, { metadata: { name: "a" }, data: { k: "v" } });
    expect(server.get(configMaps, "a")).toEqual(created);
    expect(server.update(configMaps, { ...created, data: { k: "w" } })).toMatchObject({ data: { k: "w" } });
    expect(server.patch(configMaps, "a", { data: { l: "x" } })).toMatchObject({ data: { k: "w", l: "x" } });
    expect(server.list(configMaps, { namespace: "default", fieldSelector: "metadata.name=a" })).toHaveLength(1);
    server.delete(configMaps, "a");
    expect(server.get(configMaps, "a")).toBeUndefined();
    expect((await watch.take(4)).map(summary)).toEqual(["ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a"]);
  });

  it("know kind and version of a custom resource, which HTTP is to be told", () => {
    server.install(cronTabDefinition());
    const kind = { apiVersion: "stable.example.com/v1", kind: "CronTab" };
    const created = server.create(cronTabs, { metadata: { name: "a" } });
    expect(created).toMatchObject(kind);
    expect(server.update(cronTabs, { metadata: created.metadata })).toMatchObject(kind);
  });

  it("throw what HTTP would answer", () => {
    const thrown = (action: () => unknown): ApiError => {
      try {
        action();
      } catch (error) {
        if (isApiError(error)) return error;
      }
      throw new Error("no ApiError");
    };
    expect(thrown(() => server.patch(configMaps, "nope", {})).status).toMatchObject({ code: 404, reason: "NotFound" });
    expect(thrown(() => server.list({ group: "", version: "v1", resource: "nope" })).code).toBe(404);
    expect(thrown(() => server.list(configMaps, { labelSelector: "***" })).code).toBe(400);
    expect(thrown(() => server.create(configMaps, { metadata: { name: "A" } })).message).toMatch(
      /^ConfigMap "A" is invalid/,
    );
  });

  it("give copies: what a test does to them is its own affair", () => {
    const object = { metadata: { name: "a" }, data: { k: "v" } };
    const created = server.create(configMaps, object);
    object.data.k = "changed";
    (created["data"] as { k: string }).k = "changed";
    expect(server.get(configMaps, "a")).toMatchObject({ data: { k: "v" } });
  });
});

describe("watches", () => {
  it("are known, cut and closed by choice", async () => {
    await using one = await Watch.open(server, PATH);
    await using other = await Watch.open(server, "/api/v1/pods");
    expect(server.watches).toEqual([
      { group: "", version: "v1", resource: "configmaps", namespace: "default" },
      { group: "", version: "v1", resource: "pods", namespace: "" },
    ]);
    expect(server.cutWatches(({ resource }) => resource === "configmaps")).toBe(1);
    expect(await failure(one.rest())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(server.closeWatches()).toBe(1);
    expect(await other.rest()).toEqual([]);
    expect(server.watches).toEqual([]);
  });

  it("are forgotten when their client goes", async () => {
    const watch = await Watch.open(server, PATH);
    expect(server.watches).toHaveLength(1);
    await watch.close();
    await until(() => server.watches.length === 0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("stopping and listening again", () => {
  it("refuses connections, keeps the data, and comes back at the same address", async () => {
    server.create(configMaps, { metadata: { name: "a" } });
    await using watch = await Watch.open(server, PATH);
    const { url, resourceVersion } = server;
    await server.stopListening();
    expect(await failure(watch.rest())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(await failure(fetch(url))).toBe("ECONNREFUSED");
    await server.listen();
    expect([server.url, server.resourceVersion]).toEqual([url, resourceVersion]);
    expect((await getJson(server, `${PATH}/a`)).status).toBe(200);
  });

  it("can leave open watches to end by themselves", async () => {
    await using watch = await Watch.open(server, `${PATH}?timeoutSeconds=30`);
    await server.stopListening("keep");
    expect(await failure(fetch(server.url))).toMatch(/ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/);
    server.create(configMaps, { metadata: { name: "a" } });
    await clock.advance(30_000);
    expect((await watch.rest()).map(summary)).toEqual(["ADDED a"]);
    await server.listen();
    expect((await getJson(server, "/readyz")).text).toBe("ok");
  });

  it("closes whatever is open, and can be closed twice", async () => {
    await using _watch = await Watch.open(server, PATH);
    const idle = createConnection(Number(new URL(server.url).port), "127.0.0.1");
    idle.on("error", () => {});
    await once(idle, "connect");
    await server.close();
    await server.close();
    expect(server.watches).toEqual([]);
  });

  it("says when its port is taken", async () => {
    const port = Number(new URL(server.url).port);
    await expect(EmbeddedApiServer.start({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("a backup", () => {
  it("takes the server back: revision, objects and definitions; watches are cut", async () => {
    server.install(cronTabDefinition());
    server.create(cronTabs, cronTab("a"));
    server.create(namespaces, { metadata: { name: "n" } });
    const backup = server.backup();
    server.delete(definitions, "crontabs.stable.example.com");
    server.create(configMaps, { metadata: { name: "later" } });
    const later = server.resourceVersion;
    await using watch = await Watch.open(server, PATH);
    server.restore(backup);
    expect(await failure(watch.rest())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(server.resourceVersion).toBe(backup.resourceVersion);
    expect(() => server.restore({ ...backup })).toThrow(TypeError);
    expect([server.list(configMaps), server.list(cronTabs).length]).toEqual([[], 1]);
    // What was newer is the future now.
    await using future = await Watch.open(server, `${PATH}?resourceVersion=${later}&timeoutSeconds=10`);
    server.create(configMaps, { metadata: { name: "unseen" } });
    await clock.advance(10_000);
    expect(await future.rest()).toEqual([]);
    server.delete(namespaces, "n");
    expect(server.get(namespaces, "n")).toBeUndefined();
  });

  it("forgets definitions that are newer", async () => {
    const backup = server.backup();
    server.install(cronTabDefinition());
    server.restore(backup);
    expect((await getJson(server, "/apis/stable.example.com/v1/crontabs")).text).toBe("404 page not found\n");
  });
});

describe("a token", () => {
  it("is asked of everybody, and can change", async () => {
    await using closed = await EmbeddedApiServer.start({ token: "secret" });
    for (const headers of [{}, { Authorization: "Bearer wrong" }] as Record<string, string>[]) {
      const { status, body } = await getJson(closed, PATH, headers);
      expect(status).toBe(401);
      expect(body).toEqual({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "Unauthorized",
        reason: "Unauthorized",
        code: 401,
      });
    }
    expect((await getJson(closed, PATH, { Authorization: "Bearer secret" })).status).toBe(200);
    closed.token = "rotated";
    expect((await getJson(closed, PATH, { Authorization: "Bearer secret" })).status).toBe(401);
    closed.token = undefined;
    expect((await getJson(closed, PATH)).status).toBe(200);
  });
});

describe("the kubeconfig", () => {
  it("has the address, and the credentials of the moment", async () => {
    await using closed = await EmbeddedApiServer.start({ token: "secret" });
    const kubeConfig = closed.kubeConfig();
    expect(kubeConfig.getCurrentCluster()).toEqual({ name: "embedded", server: closed.url, skipTLSVerify: true });
    const options: { headers?: Record<string, unknown> } = { headers: { Accept: "x" } };
    await kubeConfig.applyToHTTPSOptions(options);
    expect(options.headers).toEqual({ Accept: "x", Authorization: "Bearer secret" });
    closed.token = "rotated";
    expect(JSON.parse(kubeConfig.exportConfig())).toMatchObject({
      kind: "Config",
      clusters: [{ cluster: { server: closed.url, "insecure-skip-tls-verify": true } }],
      users: [{ user: { token: "rotated" } }],
    });
  });
});

describe("an interceptor", () => {
  it("answers, delays, hangs, resets or lets pass", async () => {
    const remove = server.intercept(({ query }) =>
      query.has("fail") ? { status: 429, headers: { "Retry-After": "7" }, body: { kind: "Status" } } : undefined,
    );
    const answered = await getJson(server, `${PATH}?fail`);
    expect([answered.status, answered.headers.get("retry-after"), answered.body]).toEqual([
      429,
      "7",
      { kind: "Status" },
    ]);
    expect((await getJson(server, PATH)).status).toBe(200);
    remove();
    expect((await getJson(server, `${PATH}?fail`)).status).toBe(200);
  });

  it("delays by the server's clock, then lets pass", async () => {
    server.intercept(() => ({ delayMs: 5_000 }));
    const answer = getJson(server, PATH);
    await until(() => clock.pendingTimers === 1);
    await clock.advance(5_000);
    expect((await answer).status).toBe(200);
  });

  it("resets before an answer, or in the middle of one", async () => {
    server.intercept(({ path }) => (path === "/before" ? { end: "reset" } : undefined));
    server.intercept(({ path }) => (path === "/within" ? { status: 200, body: "half a li", end: "reset" } : undefined));
    server.intercept(({ path }) => (path === "/cut" ? { status: 200, body: "half a li", end: "cut" } : undefined));
    expect(await failure(fetch(`${server.url}/before`))).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    for (const path of ["/within", "/cut"]) {
      const response = await fetch(server.url + path);
      const reader = response.body!.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe("half a li");
      expect(await failure(reader.read())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    }
  });

  it("says nothing, for as long as the client waits", async () => {
    server.intercept(({ path }) => (path === "/silent" ? { end: "open" } : { status: 200, body: "a", end: "open" }));
    const abort = new AbortController();
    const silent = fetch(`${server.url}/silent`, { signal: abort.signal });
    const started = await fetch(`${server.url}/started`, { signal: abort.signal });
    const reader = started.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("a");
    abort.abort();
    expect(await failure(silent)).toMatch(/abort/i);
    expect(await failure(reader.read())).toMatch(/abort/i);
  });

  it("sends pieces as they come", async () => {
    async function* pieces() {
      yield "one";
      yield Buffer.from("two");
    }
    server.intercept(() => ({ status: 200, headers: { "Content-Type": "text/plain" }, body: pieces() }));
    const { text, headers } = await getJson(server, PATH);
    expect([text, headers.get("content-type")]).toEqual(["onetwo", "text/plain"]);
  });

  it("rewrites and leaves out lines of a watch", async () => {
    server.create(configMaps, { metadata: { name: "a" } });
    server.intercept(({ query }) =>
      query.has("watch")
        ? {
            rewrite: (line) =>
              line.includes("DELETED")
                ? undefined
                : line.replace('"k8s.io/initial-events-end":"true"', '"k8s.io/initial-events-end":"false"'),
          }
        : undefined,
    );
    await using watch = await Watch.open(
      server,
      `${PATH}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    server.delete(configMaps, "a");
    server.create(configMaps, { metadata: { name: "b" } });
    const events = await watch.take(3);
    expect(events.map(summary)).toEqual(["ADDED a", "BOOKMARK", "ADDED b"]);
    expect(events[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "false" });
    expect(server.cutWatches()).toBe(1);
    expect(await failure(watch.rest())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
  });

  it("that throws is an error of the server", async () => {
    server.intercept(() => {
      throw new Error("oops");
    });
    expect((await getJson(server, PATH)).body).toMatchObject({ code: 500, message: "oops" });
  });
});

describe("the log of requests", () => {
  it("has method, path, query and time, and does not grow for ever", async () => {
    await using small = await EmbeddedApiServer.start({ clock, requestLogLimit: 2 });
    await getJson(small, "/version");
    await clock.advance(10);
    await getJson(small, `${PATH}?limit=5`);
    await sendJson(small, "POST", PATH, { metadata: { name: "a" } });
    expect(small.requests.map(({ method, path, query, atMs }) => [method, path, String(query), atMs])).toEqual([
      ["GET", PATH, "limit=5", 10],
      ["POST", PATH, "", 10],
    ]);
    small.clearRequests();
    expect(small.requests).toEqual([]);
  });
});

describe("over TLS", () => {
  it("speaks HTTP/1.1 and HTTP/2, and is cut stream by stream", async () => {
    const tls = certificate();
    await using secure = await EmbeddedApiServer.start({ tls });
    expect(secure.url).toMatch(/^https:/);
    expect(secure.kubeConfig().getCurrentCluster()).toMatchObject({ skipTLSVerify: false });
    const session: Http2Session = connect(secure.url, { ca: tls.cert });
    const request = (path: string) => (session as ReturnType<typeof connect>).request({ ":path": path });
    const list = request(PATH);
    let text = "";
    for await (const chunk of list) text += chunk;
    expect(JSON.parse(text)).toMatchObject({ kind: "ConfigMapList" });
    const watch = request(`${PATH}?watch=true`);
    await once(watch, "response");
    secure.create(configMaps, { metadata: { name: "a" } });
    expect(String((await once(watch, "data"))[0])).toContain('"type":"ADDED"');
    const broken = once(watch, "error");
    expect(secure.cutWatches()).toBe(1);
    expect(String(await broken.catch((error: unknown) => error))).toMatch(/NGHTTP2_INTERNAL_ERROR/);
    session.close();
  });
});

describe("ten thousand objects", () => {
  it("are listed, streamed and taken away with their namespace", async () => {
    server.create(namespaces, { metadata: { name: "big" } });
    for (let i = 0; i < 10_000; i++)
      server.create(pods, { metadata: { name: `p${(i * 7919) % 10_000}`, namespace: "big" } });
    const { body } = await getJson(server, "/api/v1/pods");
    expect(body.items).toHaveLength(10_000);
    const names: string[] = body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
    expect(names).toEqual([...names].sort());
    await using watch = await Watch.open(
      server,
      "/api/v1/pods?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
    );
    expect((await watch.take(10_001)).at(-1)?.type).toBe("BOOKMARK");
    server.delete(namespaces, "big");
    expect((await watch.take(10_000)).every(({ type }) => type === "DELETED")).toBe(true);
    expect(server.get(namespaces, "big")).toBeUndefined();
  });
});
