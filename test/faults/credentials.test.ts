/** Fault matrix, A rows: credentials. */
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { inspect } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { InformerFactory } from "../../runtime/informers/shared-informer-factory.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { CredentialSource, type HttpsOptions, type KubeConfigLike } from "../../runtime/transport/credentials.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import type { TransportRequest } from "../../runtime/transport/transport.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

const SECRET = "eyJhbGciOiJSUzI1NiJ9.canary-canary-canary.signature";

const withToken = (token: string) => (options: HttpsOptions) => {
  options.headers = { Authorization: `Bearer ${token}` };
};

/** A server that takes these tokens, and the tokens that it was sent. */
async function guardedBy(...good: string[]) {
  const sent: string[] = [];
  const server = await loopback(({ headers }, response) => {
    const token = headers.authorization?.replace("Bearer ", "") ?? "";
    sent.push(token);
    response.writeHead(good.includes(token) ? 200 : 401).end();
  });
  return { server, sent, good };
}

function transportTo(kubeConfig: KubeConfigLike) {
  const clock = new VirtualClock();
  const transport = new HttpTransport(kubeConfig, clock);
  onTestFinished(() => transport.close());
  const ask = async () => {
    const request: TransportRequest = { path: "/", accept: "*/*", kind: "list", signal: new AbortController().signal };
    const { status, body } = await transport.get(request);
    body.close();
    return status;
  };
  return { clock, ask };
}

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "credentials-"));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

/** A KubeConfig of client-node's for a user. */
function kubeConfigOf(url: string, user: object): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: url, skipTLSVerify: true }],
    users: [{ name: "u", ...user }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  return kubeConfig;
}

const execUser = (script: string) => ({
  exec: { apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", args: ["-c", script] },
});

test("A1 a token file that is swapped by symlink, as the kubelet does, is read again within two minutes", async () => {
  const dir = await folder();
  await writeFile(path.join(dir, "first"), "first\n");
  await writeFile(path.join(dir, "second"), "second\n");
  await symlink("first", path.join(dir, "token"));
  const { server, sent } = await guardedBy("first", "second");
  const tokenFile = path.join(dir, "token");
  const kubeConfig = kubeConfigFor(server.url, async (options) => {
    withToken(await readFile(tokenFile, "utf8"))(options);
  });
  const { clock, ask } = transportTo(kubeConfig);
  await ask();
  await rm(tokenFile);
  await symlink("second", tokenFile);
  await clock.advance(60_000);
  await ask();
  expect(sent).toEqual(["first", "second"]);
});

test("A2 a token that expired is replaced without a word: one 401, one more try at once", async () => {
  const { server, sent, good } = await guardedBy("first");
  const kubeConfig = kubeConfigFor(server.url, withToken("first"));
  const { ask } = transportTo(kubeConfig);
  expect(await ask()).toBe(200);
  good.splice(0, 1, "second");
  kubeConfig.apply = withToken("second");
  expect(await ask()).toBe(200);
  expect(sent).toEqual(["first", "first", "second"]);
});

describe("A3 while the token file", () => {
  test.each<[string, (options: HttpsOptions) => void]>([
    ["is empty", withToken("\n")],
    [
      "cannot be read",
      () => {
        throw new Error("ENOENT: no such file");
      },
    ],
  ])("%s, the old token serves on", async (_, broken) => {
    const { server, sent } = await guardedBy("first", "second");
    const kubeConfig = kubeConfigFor(server.url, withToken("first"), { skipTLSVerify: true });
    const { clock, ask } = transportTo(kubeConfig);
    await ask();
    kubeConfig.apply = broken;
    await clock.advance(60_000);
    expect(await ask()).toBe(200);
    kubeConfig.apply = withToken("second");
    await clock.advance(60_000);
    expect(await ask()).toBe(200);
    expect(sent).toEqual(["first", "first", "second"]);
  });

  test("is empty from the beginning, nothing is sent", async () => {
    const { server } = await guardedBy();
    const { ask } = transportTo(kubeConfigFor(server.url, withToken("")));
    expect(await informerErrorOf(ask())).toMatchObject({
      code: "credential",
      message: expect.stringContaining("empty"),
    });
    expect(server.requests).toHaveLength(0);
  });
});

test("A4 a plugin that fails is a credential error, told without what it printed that may be a token", async () => {
  const { server } = await guardedBy();
  const { ask } = transportTo(kubeConfigOf(server.url, execUser(`echo "cannot log in with ${SECRET}" >&2; exit 1`)));
  const error = await informerErrorOf(ask());
  expect(error.code).toBe("credential");
  expect(error.message).toContain("cannot log in with [redacted]");
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary");
});

describe("A5 a plugin that", () => {
  test.each([
    ["prints junk", `echo '${SECRET} is not JSON'`],
    ["prints half of its answer", `echo '{"status":{"token":"${SECRET}'`],
    ["prints nothing", "true"],
    ["is not there", "exec /no/such/plugin"],
  ])("%s is a credential error, and its output stays out of it", async (_, script) => {
    const { server } = await guardedBy();
    const { ask } = transportTo(kubeConfigOf(server.url, execUser(script)));
    const error = await informerErrorOf(ask());
    expect(error.code).toBe("credential");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary");
    expect(error.message.length).toBeLessThan(1_200);
  });

  test("does not answer is given up after 60 s, and asked anew with the next request", async () => {
    const { server } = await guardedBy("late");
    const kubeConfig = kubeConfigFor(server.url, () => new Promise(() => {}), { skipTLSVerify: true });
    const { clock, ask } = transportTo(kubeConfig);
    const asking = informerErrorOf(ask());
    await clock.advance(60_000);
    expect(await asking).toMatchObject({ code: "credential", message: expect.stringContaining("60000 ms") });
    kubeConfig.apply = withToken("late");
    expect(await ask()).toBe(200);
    expect(clock.pendingTimers).toBe(0);
  });
});

test("A7 a hundred who need a token at once start the plugin once", async () => {
  const dir = await folder();
  const counter = path.join(dir, "runs");
  const { server } = await guardedBy("t");
  const answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}';
  const kubeConfig = kubeConfigOf(server.url, execUser(`echo run >> ${counter}; echo '${answer}'`));
  const { ask } = transportTo(kubeConfig);
  expect(new Set(await Promise.all(Array.from({ length: 100 }, ask)))).toEqual(new Set([200]));
  expect(await readFile(counter, "utf8")).toBe("run\n");
});

test("A10 a server that refuses for good does not have the plugin asked more than every 30 s", async () => {
  const { server } = await guardedBy();
  const kubeConfig = kubeConfigFor(server.url, withToken("never"));
  const { clock, ask } = transportTo(kubeConfig);
  for (let seconds = 0; seconds < 120; seconds += 5) {
    expect(await ask()).toBe(401);
    await clock.advance(5_000);
  }
  expect(kubeConfig.asked).toBeLessThanOrEqual(5);
});

test("A11 a token with a newline within it, or beyond ASCII, is never sent", async () => {
  for (const token of ["a\r\nX-Injected: yes", "tokén", "a\u0000"]) {
    const { server } = await guardedBy();
    const { ask } = transportTo(kubeConfigFor(server.url, withToken(token)));
    const error = await informerErrorOf(ask());
    expect(error.code).toBe("credential");
    expect(error.message).not.toContain(token);
    expect(server.requests).toHaveLength(0);
  }
});

test("A12 two kubeconfigs with a user of the same name keep their tokens apart", async () => {
  const clock = new VirtualClock();
  const tokens = await Promise.all(
    ["one", "two"].map(async (token) => {
      const source = new CredentialSource(kubeConfigOf("https://server", { token }), clock);
      return (await source.get()).headers["authorization"];
    }),
  );
  expect(tokens).toEqual(["Bearer one", "Bearer two"]);
});

test.each<[string, RequestListener]>([
  ["401", (_, response) => response.writeHead(401).end("no")],
  ["403", (_, response) => response.writeHead(403).end("no")],
  ["500", (_, response) => response.writeHead(500).end("no")],
  ["HTML", (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
  ["garbage", (_, response) => response.writeHead(200, { "content-type": "application/json" }).end("garbage")],
  ["a reset", (request) => request.socket.resetAndDestroy()],
])("no token is in an error or in health, whatever fails: %s", async (_, listener) => {
  const server = await loopback(listener);
  const errors: unknown[] = [];
  const clock = new VirtualClock();
  const kubeConfig = kubeConfigFor(server.url, withToken(SECRET), { skipTLSVerify: true });
  const factory = new InformerFactory(kubeConfig, { clock, onError: (error) => errors.push(error) });
  factory.forResource({ group: "", version: "v1", resource: "pods" }).informer();
  factory.start();
  await turnUntil("a failure", () => errors.length > 0);
  expect(server.requests[0]?.headers.authorization).toContain(SECRET);
  expect(inspect([errors, factory.health()], { depth: 12, showHidden: true })).not.toContain("canary");
  await factory.shutdown();
});
