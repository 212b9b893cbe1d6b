import { describe, expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { ApiClient } from "../../runtime/transport/api-client.js";
import { cutAt, everyCut } from "../support/chunks.js";
import { type ScriptedAnswer, ScriptedTransport } from "../support/scripted-transport.js";
import { informerErrorOf } from "../support/thrown.js";

const request = {
  path: "/api/v1/pods",
  what: "list pods",
  accept: "application/json",
  signal: new AbortController().signal,
};
const broken = new InformerError("connection", "the connection broke");

function clientOf(...answers: ScriptedAnswer[]) {
  const transport = new ScriptedTransport(...answers);
  return { transport, client: new ApiClient(transport, new VirtualClock(Date.UTC(2026, 0, 1))) };
}

/** The lines of a watch that is read to its end. */
async function linesOf(client: ApiClient): Promise<string[]> {
  const watch = await client.watch(request);
  const lines: string[] = [];
  while (await watch.read((bytes, start, end) => lines.push(bytes.toString("utf8", start, end))));
  return lines;
}

describe("list", () => {
  test("hands out items, tells of each chunk, gives back the rest, and closes the body", async () => {
    const chunks = ['{"kind":"PodList","items":[{"n":1},{"n"', ":2}]", ',"metadata":{"resourceVersion":"5"}}'];
    const { client, transport } = clientOf({ chunks });
    const items: unknown[] = [];
    let progress = 0;
    const envelope = await client.list(
      request,
      (bytes, start, end) => items.push(JSON.parse(bytes.toString("utf8", start, end))),
      () => progress++,
    );
    expect(items).toEqual([{ n: 1 }, { n: 2 }]);
    expect(envelope).toEqual({ kind: "PodList", items: [], metadata: { resourceVersion: "5" } });
    expect(progress).toBe(3);
    expect(transport.open).toBe(0);
    expect(transport.requests[0]).toMatchObject({ path: "/api/v1/pods", kind: "list", accept: "application/json" });
  });

  test.each<[string, (string | InformerError)[], string]>([
    ["breaks off", ['{"items":[', broken], "connection"],
    ["ends in the middle", ['{"items":[{"a":1}'], "decode"],
    ["holds something else", ['{"items":[5]}'], "decode"],
  ])("a body that %s is closed, and is an error", async (_, chunks, code) => {
    const { client, transport } = clientOf({ chunks });
    const list = client.list(
      request,
      () => {},
      () => {},
    );
    expect((await informerErrorOf(list)).code).toBe(code);
    expect(transport.open).toBe(0);
  });
});

describe("watch", () => {
  const EVENTS = ['{"type":"ADDED"}', '{"type":"MODIFIED","x":"日本"}'];

  test("hands out lines however they are cut", async () => {
    for (const chunks of everyCut(Buffer.from(`${EVENTS.join("\n")}\n`))) {
      expect(await linesOf(clientOf({ chunks }).client)).toEqual(EVENTS);
    }
  });

  test("takes a last line that is whole, once, although a proxy dropped its newline", async () => {
    for (const chunks of everyCut(Buffer.from(EVENTS.join("\n")))) {
      expect(await linesOf(clientOf({ chunks }).client)).toEqual(EVENTS);
    }
    const { client } = clientOf({ chunks: [EVENTS[0]!] });
    const watch = await client.watch(request);
    const lines: string[] = [];
    const onLine = (bytes: Buffer, start: number, end: number) => lines.push(bytes.toString("utf8", start, end));
    for (let i = 0; i < 4; i++) await watch.read(onLine);
    expect(lines).toEqual([EVENTS[0]]);
    expect(await watch.read(onLine)).toBe(false);
  });

  test("refuses to take half an event for a whole one", async () => {
    for (let length = 1; length < EVENTS[1]!.length; length++) {
      const bytes = Buffer.from(`${EVENTS[0]}\n${EVENTS[1]!.slice(0, length)}`);
      const watch = linesOf(clientOf({ chunks: cutAt(bytes, [3, 20]) }).client);
      expect((await informerErrorOf(watch)).code).toBe("protocol");
    }
  });

  test("gives the lines before the connection broke", async () => {
    const { client, transport } = clientOf({ chunks: [`${EVENTS[0]}\n{"half`, broken] });
    const watch = await client.watch(request);
    const lines: string[] = [];
    const onLine = (bytes: Buffer, start: number, end: number) => lines.push(bytes.toString("utf8", start, end));
    expect(await watch.read(onLine)).toBe(true);
    const error = await informerErrorOf(watch.read(onLine));
    expect(error.code).toBe(broken.code);
    expect(error.message).toMatch(/^list pods at .*: /);
    expect(error.message).toContain(broken.message);
    expect(lines).toEqual([EVENTS[0]]);
    watch.close();
    expect(transport.open).toBe(0);
  });
});

describe("answers that are refusals", () => {
  const json = { "content-type": "application/json" };
  const html = { "content-type": "text/html; charset=utf-8" };

  test.each<[string, ScriptedAnswer, object]>([
    [
      "a Status",
      { status: 403, headers: json, chunks: ['{"kind":"Status","reason":"Forbidden","message":"no', ' rights"}'] },
      { code: "forbidden", reason: "Forbidden", message: "list pods at https://server:6443: 403 no rights" },
    ],
    ["plain text", { status: 404, headers: {}, chunks: ["404 page not found\n"] }, { code: "not-served", status: 404 }],
    ["JSON that is no Status", { status: 500, chunks: ["[1,2]"] }, { code: "server", reason: undefined }],
    ["JSON that is null", { status: 500, chunks: ["null"] }, { code: "server" }],
    ["JSON of a hostile shape", { status: 500, chunks: ['{"message":{"a":1},"details":[]}'] }, { code: "server" }],
    ["JSON that is cut off", { status: 500, chunks: ['{"mess'] }, { code: "server" }],
    ["HTML with 200, of a captive portal", { headers: html, chunks: ["<html>sign in"] }, { code: "protocol" }],
    ["200 without a type", { headers: {}, chunks: ["x"] }, { code: "protocol" }],
    ["protobuf", { headers: { "content-type": "application/vnd.kubernetes.protobuf" } }, { code: "protocol" }],
    ["a redirect", { status: 302, headers: { location: "https://elsewhere" } }, { code: "status", status: 302 }],
  ])("%s", async (_, answer, error) => {
    const { client, transport } = clientOf(answer);
    expect(await informerErrorOf(client.watch(request))).toMatchObject(error);
    expect(transport.open).toBe(0);
  });

  test("a page is repeated by its first 256 characters, without its control characters", async () => {
    const { client } = clientOf({ headers: html, chunks: [`\u001b[31m${"x".repeat(100_000)}`] });
    const { message } = await informerErrorOf(client.watch(request));
    expect(message).toContain("text/html");
    expect(message.length).toBeLessThan(450);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(message).not.toMatch(/[\u0000-\u001f]/);
  });

  test("no more than 256 KiB of one are read", async () => {
    let read = 0;
    const endless = (function* () {
      for (; ; read++) yield Buffer.alloc(64 * 1024, "x");
    })();
    const { client, transport } = clientOf({ status: 500, headers: {}, chunks: endless });
    await informerErrorOf(client.watch(request));
    expect(read).toBeLessThanOrEqual(5);
    expect(transport.open).toBe(0);
  });

  test.each([
    ["7", 7000],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["junk", undefined],
  ])("Retry-After: %s is %j ms", async (retryAfter, retryAfterMs) => {
    const { client } = clientOf({ status: 429, headers: { "retry-after": retryAfter } });
    expect((await informerErrorOf(client.watch(request))).retryAfterMs).toBe(retryAfterMs);
  });
});
