/** Fault matrix, A rows: credential plugins. */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { CredentialSource } from "../../runtime/transport/credentials.js";
import { execUser, folder, guardedBy, kubeConfigOf, SECRET, transportTo, withToken } from "../support/credentials.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

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
    ["prints ever more", `yes '${SECRET}' | head -c 4000000`, "more than 1048576 bytes"],
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
    expect((await soon(asking)).message).toContain("no answer within 60000 ms");
    await expect.poll(isKilled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test("hangs is killed at once when all is shut down and nobody wants its answer any more", async () => {
    const { clock, transport, asking, isKilled } = await hanging();
    transport.close();
    expect((await soon(asking)).code).toBe("credential");
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

test("A7 a hundred who need a token at once start the plugin once, and once more when the token is refused", async () => {
  const counter = path.join(await folder(), "runs");
  const { server, good } = await guardedBy("t1");
  const script = `echo run >> ${counter}; ${answering({ token: "tN" })} | sed s/tN/t$(grep -c run ${counter})/`;
  const { ask } = transportTo(kubeConfigOf(server.url, execUser(script)));
  const hundred = async () => new Set(await Promise.all(Array.from({ length: 100 }, ask)));
  expect(await hundred()).toEqual(new Set([200]));
  good[0] = "t2";
  expect(await hundred()).toEqual(new Set([200]));
  expect(await readFile(counter, "utf8")).toBe("run\nrun\n");
});
