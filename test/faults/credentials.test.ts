/** Fault matrix, A rows: credentials. Those of plugins are in credential-plugins.test.ts. */
import { readFileSync } from "node:fs";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import path from "node:path";
import { inspect } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import { InformerFactory } from "../../runtime/informers/shared-informer-factory.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { CredentialSource, type HttpsOptions } from "../../runtime/transport/credentials.js";
import { type InformerWarning, Warnings } from "../../runtime/transport/warnings.js";
import { folder, guardedBy, kubeConfigOf, SECRET, transportTo, withToken } from "../support/credentials.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

const pem = (name: string) => readFileSync(new URL(`../transport/fixtures/tls/${name}.pem`, import.meta.url), "utf8");

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
