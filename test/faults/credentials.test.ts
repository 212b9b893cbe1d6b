/** Fault matrix, A rows: credentials. */
import { existsSync, readFileSync } from "node:fs";
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
import { type InformerWarning, Warnings } from "../../runtime/transport/warnings.js";
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
  return { clock, transport, ask };
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

describe("A5 the answer of a plugin that", () => {
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

/** A plugin that answers so, for an `apiVersion` of v1. */
const answering = (status: object, apiVersion = "client.authentication.k8s.io/v1") =>
  `printf '%s' '${JSON.stringify({ apiVersion, kind: "ExecCredential", status })}'`;

const pem = (name: string) => readFileSync(new URL(`../transport/fixtures/tls/${name}.pem`, import.meta.url), "utf8");

describe("A5 a plugin that", () => {
  test.each<[string, string, string]>([
    [
      "answers in another version",
      answering({ token: SECRET }, "client.authentication.k8s.io/v1beta1"),
      "another apiVersion",
    ],
    ["gives a certificate without a key", answering({ clientCertificateData: pem("client") }), "without a key"],
    ["gives nothing", answering({}), "neither a token nor a certificate"],
    ["gives an expiry that is no time", answering({ token: SECRET, expirationTimestamp: "soon" }), "no time"],
    ["prints without end", `yes '${SECRET}'`, "more than 1048576 bytes"],
    ["answers with a list", "echo '[]'", "no ExecCredential"],
  ])("%s is a credential error that says so", async (_, script, why) => {
    const { server } = await guardedBy();
    const error = await informerErrorOf(transportTo(kubeConfigOf(server.url, execUser(script))).ask());
    expect(error.code).toBe("credential");
    expect(error.message).toContain(why);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary");
  });

  /** A plugin that hangs, with a program of its own that holds its output. */
  async function hanging() {
    const file = `${await folder()}/pid`;
    const { server } = await guardedBy();
    const bench = transportTo(kubeConfigOf(server.url, execUser(`echo $$ > ${file}; sleep 30 & wait`)));
    const asking = informerErrorOf(bench.ask());
    const pidOf = async () => Number(await readFile(file, "utf8").catch(() => 0));
    await expect.poll(pidOf).toBeGreaterThan(0);
    const pid = await pidOf();
    const isKilled = () => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    return { ...bench, asking, isKilled };
  }

  test("hangs, with a program of its own that holds its output, is killed after 60 s", async () => {
    const { clock, asking, isKilled } = await hanging();
    await clock.advance(60_000);
    expect((await asking).message).toContain("no answer within 60000 ms");
    await expect.poll(isKilled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test("hangs is killed at once when all is shut down and nobody wants its answer any more", async () => {
    const { clock, transport, asking, isKilled } = await hanging();
    transport.close();
    expect((await asking).code).toBe("credential");
    await expect.poll(isKilled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test("is of a version that the runtime does not know, or not there, says what to do", async () => {
    const user = (exec: object) => kubeConfigOf("https://127.0.0.1:1", { exec });
    const old = await informerErrorOf(
      transportTo(user({ command: "true", apiVersion: "client.authentication.k8s.io/v1alpha1" })).ask(),
    );
    expect(old.message).toContain("must be client.authentication.k8s.io/v1");
    const unstartable = { ...execUser("").exec, command: "a\u0000b" };
    expect((await informerErrorOf(transportTo(user(unstartable)).ask())).code).toBe("credential");
    const missing = { ...execUser("").exec, command: "no-such-plugin", installHint: "install it from example.com" };
    expect((await informerErrorOf(transportTo(user(missing)).ask())).message).toContain(
      "there is no such program; install it from example.com",
    );
  });
});

test("A6 a plugin that wants a terminal is refused, and not started", async () => {
  const dir = await folder();
  const { exec } = execUser(`touch ${dir}/ran`);
  const { ask } = transportTo(kubeConfigOf("https://127.0.0.1:1", { exec: { ...exec, interactiveMode: "Always" } }));
  const error = await informerErrorOf(ask());
  expect(error).toMatchObject({ code: "credential", message: expect.stringContaining("terminal") });
  expect(existsSync(`${dir}/ran`)).toBe(false);
});

test("A5 a plugin is started without a shell, with its environment and what it wants to know of the cluster", async () => {
  const dir = await folder();
  const { exec } = execUser(
    `printf '%s' "$KUBERNETES_EXEC_INFO" > ${dir}/info; printf %s "$1 $GREETING" > ${dir}/args; ${answering({ token: "t" })}`,
  );
  const args = [...exec.args, "sh", "$(touch injected); `id`"];
  const { server } = await guardedBy("t");
  const env = [{ name: "GREETING", value: "hello" }];
  const { ask } = transportTo(kubeConfigOf(server.url, { exec: { ...exec, args, env, provideClusterInfo: true } }));
  expect(await ask()).toBe(200);
  expect(await readFile(`${dir}/args`, "utf8")).toBe("$(touch injected); `id` hello");
  expect(JSON.parse(await readFile(`${dir}/info`, "utf8"))).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: { interactive: false, cluster: { server: server.url, "insecure-skip-tls-verify": true } },
  });
});

describe("what a plugin gives", () => {
  /** Counts its runs in a file. */
  async function counted(status: object, wallStartMs?: number) {
    const dir = await folder();
    const clock = new VirtualClock(wallStartMs);
    const kubeConfig = kubeConfigOf("https://127.0.0.1:1", execUser(`echo run >> ${dir}/runs; ${answering(status)}`));
    const source = new CredentialSource(kubeConfig, clock);
    const runs = async () => (await readFile(`${dir}/runs`, "utf8")).split("\n").length - 1;
    return { source, clock, runs };
  }

  test("A5 without an expiry serves until the server refuses it", async () => {
    const { source, clock, runs } = await counted({ token: "t" });
    const given = await source.get();
    await clock.advance(86_400_000);
    expect(await source.get()).toMatchObject({ headers: { authorization: "Bearer t" } });
    expect(await runs()).toBe(1);
    await source.renew(await source.get());
    expect(await runs()).toBe(2);
    expect(given.headers["authorization"]).toBe("Bearer t");
  });

  test("A2 with an expiry is replaced before it", async () => {
    const { source, clock, runs } = await counted({ token: "t", expirationTimestamp: "2026-01-01T00:10:00Z" });
    await source.get();
    await clock.advance(9 * 60_000);
    await source.get();
    expect(await runs()).toBe(1);
    await clock.advance(60_000);
    await source.get();
    expect(await runs()).toBe(2);
  });

  test("A4 that fails is not started again within ten seconds, however many ask", async () => {
    const dir = await folder();
    const clock = new VirtualClock();
    const kubeConfig = kubeConfigOf("https://127.0.0.1:1", execUser(`echo run >> ${dir}/runs; exit 1`));
    const source = new CredentialSource(kubeConfig, clock);
    for (let second = 0; second < 20; second++) {
      expect((await informerErrorOf(source.get())).code).toBe("credential");
      await clock.advance(1_000);
    }
    expect(await readFile(`${dir}/runs`, "utf8")).toBe("run\nrun\n");
  });

  test("C5 that has expired by this machine's clock is sent all the same, and asked for once a minute at most", async () => {
    const { source, clock, runs } = await counted({ token: "t", expirationTimestamp: "2025-12-31T23:00:00Z" });
    for (let second = 0; second < 59; second++) {
      expect((await source.get()).headers["authorization"]).toBe("Bearer t");
      await clock.advance(1_000);
    }
    expect(await runs()).toBe(1);
  });

  test("A8 may be a client certificate", async () => {
    const [cert, key] = [pem("client"), pem("client-key")];
    const { source } = await counted({ clientCertificateData: cert, clientKeyData: key });
    expect((await source.get()).tls).toMatchObject({ cert, key });
  });
});

describe("what is doubtful about a kubeconfig is told once", () => {
  function warned(apply: (options: HttpsOptions) => void, wallStartMs?: number) {
    const told: InformerWarning[] = [];
    const clock = new VirtualClock(wallStartMs);
    const kubeConfig = kubeConfigFor("https://127.0.0.1:1", apply);
    const source = new CredentialSource(kubeConfig, clock, undefined, new Warnings((warning) => told.push(warning)));
    return { told, clock, source, kubeConfig };
  }

  test.each([
    ["A8 seven days before a client certificate expires", "2119-12-26", ["certificate"]],
    ["A8 not earlier", "2119-12-24", []],
  ])("%s", async (_, today, codes) => {
    const client = { cert: pem("client"), key: pem("client-key") };
    const { source, told, clock } = warned((options) => void Object.assign(options, client), Date.parse(today));
    for (let minute = 0; minute < 3; minute++) {
      await source.get();
      await clock.advance(60_000);
    }
    expect(told.map(({ code }) => code)).toEqual(codes);
  });

  test("N14 that the server's certificate is not verified", async () => {
    const { source, told, clock } = warned((options) => void Object.assign(options, { rejectUnauthorized: false }));
    await source.get();
    await clock.advance(60_000);
    await source.get();
    expect(told).toEqual([{ code: "insecure", message: expect.stringContaining("https://127.0.0.1:1") }]);
  });

  test.each<[string, HttpsOptions]>([
    ["N15 an authority that is empty", { ca: Buffer.alloc(0) }],
    ["N15 an authority that is cut off", { ca: pem("ca").slice(0, 100) }],
    [
      "A8 a key that does not fit its certificate, in the middle of a rotation",
      { ca: pem("ca"), cert: pem("client"), key: pem("rotated-client-key") },
    ],
  ])("%s: the one from before serves on", async (_, broken) => {
    const { source, told, clock, kubeConfig } = warned((options) => void Object.assign(options, { ca: pem("ca") }));
    const good = await source.get();
    kubeConfig.apply = (options) => void Object.assign(options, broken);
    await clock.advance(60_000);
    expect(await source.get()).toBe(good);
    expect(told.map(({ code }) => code)).toEqual(["credential"]);
    const error = await informerErrorOf(warned((options) => void Object.assign(options, broken)).source.get());
    expect(error.code).toBe("tls");
  });
});

test("A9 a kubeconfig without a user still has its authority, and a token file in a pod is read anew", async () => {
  const dir = await folder();
  await writeFile(`${dir}/ca.crt`, pem("ca"));
  await writeFile(`${dir}/token`, "first\n");
  const kubeConfig = new KubeConfig();
  const clusters = [{ name: "c", server: "https://127.0.0.1:1", skipTLSVerify: false, caFile: `${dir}/ca.crt` }];
  const contexts = [{ name: "x", cluster: "c", user: "u" }];
  kubeConfig.loadFromOptions({ clusters, contexts, users: [], currentContext: "x" });
  expect((await new CredentialSource(kubeConfig, new VirtualClock()).get()).tls.ca?.toString()).toBe(pem("ca"));
  const users = [{ name: "u", authProvider: { name: "tokenFile", config: { tokenFile: `${dir}/token` } } }];
  kubeConfig.loadFromOptions({ clusters, contexts, users, currentContext: "x" });
  const source = new CredentialSource(kubeConfig, new VirtualClock());
  const refused = await source.get();
  await writeFile(`${dir}/token`, "second\n");
  expect((await source.renew(refused))?.headers).toEqual({ authorization: "Bearer second" });
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
