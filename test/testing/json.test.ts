import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer } from "../../runtime/testing/index.js";
import { jsonEqual, parseJson, stringifyJson } from "../../runtime/testing/json.js";
import { CRON_TABS_PATH, cronTabDefinition, cronTabs, getJson, sendJson, Watch } from "./support/client.js";

describe("numbers", () => {
  it.each([
    '{"a":9007199254740993}',
    '{"a":-9223372036854775808,"b":[18446744073709551615]}',
    '{"9007199254740993":"9007199254740993 \\" 9007199254740993"}',
    '{"a":1.5,"b":-0.1,"c":9007199254740991}',
  ])("%s comes back as it was", (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it("that are no long integers are JavaScript's", () => {
    expect(parseJson('{"a":1234567890123456.5,"b":12345678901234567e3,"c":1}')).toEqual({
      a: 1234567890123456.5,
      b: 12345678901234567e3,
      c: 1,
    });
  });

  it("do not make JSON of what is none", () => {
    for (const text of ['{"a":00000000000000001}', '{"a":1234567890123456789,}', "{1234567890123456789}"]) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });

  it("leave a prototype alone", () => {
    expect(stringifyJson(parseJson('{"__proto__":{"a":9007199254740993}}'))).toBe(
      '{"__proto__":{"a":9007199254740993}}',
    );
  });
});

describe("equality", () => {
  it("is JSON's", () => {
    expect(jsonEqual({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toBe(true);
    expect(jsonEqual({ a: undefined }, {})).toBe(true);
    expect(jsonEqual({ a: undefined }, { b: undefined })).toBe(true);
    expect(jsonEqual(parseJson("[9007199254740993]"), parseJson("[9007199254740992]"))).toBe(false);
    expect(jsonEqual([1], { 0: 1 })).toBe(false);
    expect(jsonEqual(null, {})).toBe(false);
    expect(jsonEqual({ constructor: 1 }, {})).toBe(false);
  });
});

describe("an int64 in a custom resource", () => {
  let server: EmbeddedApiServer;
  beforeEach(async () => {
    server = await EmbeddedApiServer.start();
    const properties = {
      spec: { type: "object", properties: { long: { type: "integer", maximum: 9223372036854775807n } } },
    };
    server.install(cronTabDefinition({ schema: { type: "object", properties } }));
  });
  afterEach(() => server.close());

  it("is kept, listed, watched and patched to the digit", async () => {
    const text =
      '{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"name":"a"},"spec":{"long":9007199254740993}}';
    await using watch = await Watch.open(server, CRON_TABS_PATH);
    const digits = /"long":9007199254740993/;
    expect((await sendJson(server, "POST", CRON_TABS_PATH, text)).text).toMatch(digits);
    expect((await getJson(server, `${CRON_TABS_PATH}/a`)).text).toMatch(digits);
    expect((await getJson(server, CRON_TABS_PATH)).text).toMatch(digits);
    expect((await watch.next())?.type).toBe("ADDED");
    const merge = { "Content-Type": "application/merge-patch+json" };
    const patched = await sendJson(server, "PATCH", `${CRON_TABS_PATH}/a`, '{"spec":{"long":9007199254740995}}', merge);
    expect(patched.text).toMatch(/"long":9007199254740995/);
    expect(server.get(cronTabs, "a")).toMatchObject({ spec: { long: 9007199254740995n } });
    const table = { Accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    expect((await getJson(server, `${CRON_TABS_PATH}?includeObject=Object`, table)).text).toMatch(
      /"long":9007199254740995/,
    );
  });
});
