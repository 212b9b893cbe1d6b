/** Fault matrix, M rows: data and answers that mean harm; and that nothing secret surfaces, whatever fails. */
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { collectionPath } from "../../runtime/api/group-version-resource.js";
import { InformerError } from "../../runtime/api/informer-error.js";
import { parseLabelSelector } from "../../runtime/api/selectors.js";
import { InformerFactory } from "../../runtime/informers/shared-informer-factory.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import { type InformerWarning, parseWarnings, Warnings } from "../../runtime/transport/warnings.js";
import { FaultBench } from "../support/fault-bench.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";
import { line, statusOf } from "../support/wire-server.js";

const HOSTILE_KEYS = ["__proto__", "constructor", "prototype", "hasOwnProperty", "toString"];

const thing = (name: string, more = "", namespace?: string) =>
  `{"kind":"Thing","apiVersion":"v1","metadata":{"name":${JSON.stringify(name)},"resourceVersion":"150","uid":"u-${name.length}"` +
  `${namespace === undefined ? "" : `,"namespace":${JSON.stringify(namespace)}`}}${more}}`;

/** A cache that holds this object beside its own. */
async function holding(json: string): Promise<FaultBench> {
  const bench = await new FaultBench().synced("a");
  bench.server.send(line("ADDED", json));
  await bench.advance(0);
  return bench;
}

test("M1 keys of prototypes are data: own properties, and nothing else has changed", async () => {
  const spec = HOSTILE_KEYS.map((key) => `"${key}":{"polluted":true}`).join(",");
  const bench = await holding(thing("x", `,"spec":{${spec}}`));
  const held = bench.informer.indexer.get("x") as unknown as { spec: object };
  expect(Object.keys(held.spec)).toEqual(HOSTILE_KEYS);
  expect(Object.getPrototypeOf(held.spec)).toBe(Object.prototype);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  await bench.stops();
});

test.each(HOSTILE_KEYS)("M2 a name, a namespace and an index value %s are like any other", async (word) => {
  const bench = await holding(thing(word, "", word));
  bench.informer.addIndexers({ word: () => [word] });
  expect(bench.informer.indexer.get(`${word}/${word}`)?.metadata.name).toBe(word);
  expect(bench.informer.indexer.byIndex("word", word)).toHaveLength(2);
  expect(bench.informer.indexer.byIndex("word", "valueOf")).toEqual([]);
  await bench.stops();
});

test("M3 control characters are stored as they are, and are escaped in messages", async () => {
  const name = "\u001b[31m\u0000\u202e\u2028x";
  const bench = await holding(thing(name));
  expect(bench.informer.indexer.get(name)?.metadata.name).toBe(name);
  await bench.stops();
  const { message } = new InformerError("status", name);
  expect(message).toBe("\\u001b[31m\\u0000\\u202e\\u2028x");
});

test("M4 markup is text", async () => {
  const markup = "</script><img onerror=alert(1)>";
  const bench = await holding(thing("x", `,"spec":{"value":${JSON.stringify(markup)}}`));
  expect(bench.informer.indexer.get("x")?.spec?.value).toBe(markup);
  await bench.stops();
});

test("M5 a Status of megabytes, with lines that look like a log's, is a short message of one line", async () => {
  const bench = new FaultBench();
  const message = `no\nERROR root logged in\n${"x".repeat(10_000_000)}`;
  bench.server.fault = () => ({
    status: 500,
    body: statusOf(500, "y".repeat(1_000), { message, details: { causes: [[[]]] } }),
  });
  await bench.start();
  const [error] = bench.bench.errors;
  expect(error?.message.length).toBeLessThan(5_000);
  expect(error?.message).not.toContain("\n");
  await bench.recovers();
});

test("M6 members named then, toJSON and valueOf are data, also out of a promise", async () => {
  const bench = await holding(thing("x", ',"then":{"a":1},"toJSON":"no","valueOf":5'));
  const held = bench.informer.indexer.get("x");
  expect(await Promise.resolve(held)).toBe(held);
  expect(held).toMatchObject(JSON.parse('{"then":{"a":1},"toJSON":"no","valueOf":5}'));
  await bench.stops();
});

test("M7 what looks like a pattern is compared as text", async () => {
  const name = "(a+)+$.*[";
  const bench = await holding(thing(name));
  expect(bench.informer.indexer.get(name)?.metadata.name).toBe(name);
  expect(bench.informer.indexer.get("aaaa")).toBeUndefined();
  expect(parseLabelSelector({ matchLabels: { app: "a" } }).matches({ app: "aaa" })).toBe(false);
  await bench.stops();
});

test.each(["..", ".", "a/../b", "a%2fb", "a?watch=1", "a#b"])(
  "M8 a namespace %s does not lead elsewhere",
  (namespace) => {
    const resource = { group: "", version: "v1", resource: "pods" };
    let path: string;
    try {
      path = collectionPath(resource, namespace);
    } catch (error) {
      expect(String(error)).toContain("cannot be part");
      return;
    }
    const { pathname, search, hash } = new URL(path, "https://server");
    expect([pathname.split("/").slice(0, 4), search, hash]).toEqual([["", "api", "v1", "namespaces"], "", ""]);
    expect(pathname.split("/")).toHaveLength(6);
  },
);

test("M9 nothing that a server says sends credentials elsewhere", async () => {
  const other = await loopback((_, response) => response.end());
  const server = await loopback((_, response) =>
    response
      .writeHead(307, { location: other.url, "content-location": other.url, refresh: `0;url=${other.url}` })
      .end(),
  );
  const transport = new HttpTransport(
    kubeConfigFor(server.url, (options) => void Object.assign(options, { headers: { Authorization: "Bearer t" } })),
    new VirtualClock(),
  );
  for (const kind of ["list", "watch"] as const) {
    const { status } = await transport.get({ path: "/", accept: "*/*", kind, signal: new AbortController().signal });
    expect(status).toBe(307);
  }
  expect(other.sockets).toHaveLength(0);
});

describe("H20 warnings of the server", () => {
  test.each<[string, string | string[] | undefined, string[]]>([
    ["none", undefined, []],
    ["one", '299 - "apps/v1beta1 is deprecated"', ["apps/v1beta1 is deprecated"]],
    ["two in one header", '299 - "a, b", 299 agent "say \\"c\\"" "Thu, 01 Jan 2026 00:00:00 GMT"', ["a, b", 'say "c"']],
    ["two headers", ['299 - "a"', '299 - "b"'], ["a", "b"]],
    ["another code", '199 - "cached"', []],
    ["what is malformed", '299 - "a", 299 nonsense', ["a"]],
    ["a quote without end", `299 - "${"\\\\".repeat(50_000)}`, []],
  ])("%s", (_, header, texts) => {
    expect(parseWarnings(header)).toEqual(texts);
  });

  test("are told once each, without control characters, and not for ever", async () => {
    const told: InformerWarning[] = [];
    const server = await loopback((_, response) =>
      response.writeHead(200, { warning: '299 - "v1beta1 is old", 299 - "v1beta1 is old"' }).end(),
    );
    const transport = new HttpTransport(kubeConfigFor(server.url), new VirtualClock(), undefined, (warning) =>
      told.push(warning),
    );
    for (let i = 0; i < 2; i++) {
      const { body } = await transport.get({
        path: "/",
        accept: "*/*",
        kind: "list",
        signal: new AbortController().signal,
      });
      body.close();
    }
    expect(told).toEqual([{ code: "server", message: "v1beta1 is old" }]);
    const warnings = new Warnings((warning) => told.push(warning));
    for (let i = 0; i < 1_000; i++) warnings.tell("server", `\u001b[31m${i}`);
    expect(told).toHaveLength(257);
    expect(told[1]?.message).toBe("\\u001b[31m0");
  });
});

describe("no secret surfaces", () => {
  const CANARY = "canary-canary-canary";
  const JWT = `eyJhbGciOiJSUzI1NiJ9.${CANARY}.c2lnbmF0dXJl`;
  const PEM = `-----BEGIN PRIVATE KEY-----\n${CANARY.replaceAll("-", "")}\n-----END PRIVATE KEY-----`;

  test.each([
    ["a token", `refused ${JWT} today`],
    ["a bearer", `sent Authorization: Bearer ${CANARY}`],
    ["a password in base64", `sent Basic ${CANARY}==`],
    ["a password in a URL", `https://jane:${CANARY}@proxy:3128 is away`],
    ["a token in a URL", `GET /api?token=${CANARY}&watch=1`],
    ["a key", PEM],
    ["a key that is cut off", PEM.slice(0, 40)],
    ["what could not be parsed", `Unexpected token 'c', ..."rd":"${CANARY}"x... is not valid JSON`],
  ])("of %s in a message", (_, text) => {
    const error = new InformerError("status", text);
    expect(`${error.stack} ${inspect(error)} ${JSON.stringify(error)}`).not.toMatch(/canary/);
  });

  /** A body for each way to fail, with the data of a Secret in it. */
  const secret = thing("s", `,"data":{"password":"${CANARY}"}`);
  const list = `{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[`;
  test.each<[string, number, string]>([
    ["a list that is cut off", 200, `${list}${secret.slice(0, -4)}`],
    ["an item that is no JSON", 200, `${list}${secret.slice(0, -1)}oops}]}`],
    ["an item that is none", 200, `${list}"${CANARY}"]}`],
    ["an item without a name", 200, `${list}{"data":{"password":"${CANARY}"}}]}`],
    ["an envelope that is no JSON", 200, `{"data":"${CANARY}",,"items":[]}`],
    [
      "an echo of what was sent",
      500,
      `{"kind":"Status","message":"you sent ${JWT} as Bearer ${CANARY}","reason":"Bearer ${JWT}"}`,
    ],
  ])("when the answer is %s", async (_, status, body) => {
    const server = await loopback((_request, response) =>
      response.writeHead(status, { "content-type": "application/json", warning: `299 - "seen ${JWT}"` }).end(body),
    );
    const surfaced: unknown[] = [];
    const kubeConfig = kubeConfigFor(
      server.url,
      (options) => void Object.assign(options, { headers: { Authorization: `Bearer ${JWT}` }, key: PEM }),
    );
    const clock = new VirtualClock();
    const note = (what: unknown) => void surfaced.push(what);
    const factory = new InformerFactory(kubeConfig, { clock, onError: note, onWarning: note });
    const informer = factory.forResource({ group: "", version: "v1", resource: "secrets" }).informer();
    informer.onHealthChange(note);
    factory.start();
    await turnUntil("a failure", () => surfaced.some((what) => what instanceof InformerError));
    expect(server.requests[0]?.headers.authorization).toContain(CANARY);
    for (const what of [...surfaced, factory, factory.health()]) {
      expect(inspect(what, { depth: 12, showHidden: true })).not.toMatch(/canary/);
      expect(JSON.stringify(what) ?? "").not.toMatch(/canary/);
    }
    await factory.shutdown();
  });

  test("of a certificate that cannot be used", async () => {
    const ca = readFileSync(new URL("../transport/fixtures/tls/ca.pem", import.meta.url));
    const transport = new HttpTransport(
      kubeConfigFor("https://127.0.0.1:1", (options) => void Object.assign(options, { ca, cert: PEM, key: PEM })),
      new VirtualClock(),
    );
    const request = { path: "/", accept: "*/*", kind: "list", signal: new AbortController().signal } as const;
    const error = await informerErrorOf(transport.get(request));
    expect(error.code).toBe("tls");
    expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/canary/);
  });
});
