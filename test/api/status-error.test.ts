import { describe, expect, test } from "vitest";
import { asStatus, parseRetryAfter, type Status, statusError } from "../../runtime/api/status-error.js";

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

describe("statusError", () => {
  test.each<[number, Status | string, string]>([
    [400, { reason: "BadRequest" }, "status"],
    [401, { reason: "Unauthorized" }, "unauthorized"],
    [403, { reason: "Forbidden" }, "forbidden"],
    [404, "404 page not found", "not-served"],
    [404, { reason: "NotFound" }, "not-served"],
    [406, { reason: "NotAcceptable" }, "status"],
    [410, { reason: "Expired" }, "expired"],
    [410, "gone", "expired"],
    // A server may say the reason under another number.
    [500, { reason: "Expired" }, "expired"],
    [400, { reason: "Gone" }, "expired"],
    [422, { reason: "Invalid" }, "status"],
    [429, { reason: "TooManyRequests" }, "throttled"],
    [429, "slow down", "throttled"],
    [500, { reason: "InternalError" }, "server"],
    [500, {}, "server"],
    [503, "<html>", "server"],
    [504, { reason: "Timeout", message: "etcd is slow" }, "server"],
    [302, "", "status"],
  ])("%i %j is %s", (status, body, code) => {
    const error = statusError(status, body, "list pods at https://server");
    expect(error.code).toBe(code);
    expect(error.status).toBe(status);
    expect(error.message).toContain(`list pods at https://server: ${status}`);
    expect(error.reason).toBe(typeof body === "string" ? undefined : body.reason);
  });

  test.each<[string, number, Status]>([
    ["a cause by reason", 504, { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } }],
    [
      "a cause by message",
      504,
      { reason: "Timeout", details: { causes: [{ message: "Too large resource version" }] } },
    ],
    ["a bare message", 504, { reason: "Timeout", message: "Too large resource version: 9, current: 5" }],
    ["in a watch, under another number", 500, { details: { causes: [{ reason: "ResourceVersionTooLarge" }] } }],
  ])("a resourceVersion ahead of the server, said as %s", (_, status, body) => {
    expect(statusError(status, body, "list pods").code).toBe("too-large-resource-version");
  });

  test("a message alone, of another reason, is not about the resourceVersion", () => {
    const body = { reason: "Invalid", message: 'a label holds "Too large resource version"' };
    expect(statusError(422, body, "list pods").code).toBe("status");
  });

  test("hints at what a person can do", () => {
    expect(statusError(404, "x", "c").message).toMatch(/CustomResourceDefinition/);
    expect(statusError(401, "x", "c").message).toMatch(/credentials/);
  });

  test("repeats at most 4096 characters of the server's text", () => {
    expect(statusError(500, "x".repeat(1_000_000), "c").message.length).toBeLessThan(4200);
    expect(statusError(500, { message: "x".repeat(1_000_000) }, "c").message.length).toBeLessThan(4200);
  });

  test("the header's Retry-After goes before the Status's", () => {
    const body = { details: { retryAfterSeconds: 7 } };
    expect(statusError(429, body, "c", 2000).retryAfterMs).toBe(2000);
    expect(statusError(429, body, "c").retryAfterMs).toBe(7000);
    expect(statusError(429, {}, "c").retryAfterMs).toBeUndefined();
    expect(statusError(429, { details: { retryAfterSeconds: 1e10 } }, "c").retryAfterMs).toBe(300_000);
    expect(statusError(429, { details: { retryAfterSeconds: -1 } }, "c").retryAfterMs).toBe(0);
  });
});

describe("asStatus", () => {
  test("keeps what a Status has", () => {
    const status = {
      kind: "Status",
      code: 504,
      reason: "Timeout",
      message: "slow",
      details: { causes: [{ reason: "A", message: "B" }], retryAfterSeconds: 3 },
    };
    expect(asStatus(status)).toEqual(status);
  });

  test.each([[null], [undefined], ["text"], [5], [true]])("%j is none", (value) => {
    expect(asStatus(value)).toBeUndefined();
  });

  test.each([
    [{ message: 5, reason: {}, code: "500", kind: null }],
    [{ details: "x" }],
    [{ details: null }],
    [{ details: { causes: {} } }],
    [{ details: { causes: [null, 5, { message: [] }] } }],
    [{ details: { retryAfterSeconds: "soon" } }],
    [[]],
  ])("leaves out of %j what is of another type, so that it makes an error like any other", (value) => {
    const error = statusError(500, asStatus(value)!, "watch pods");
    expect(error).toMatchObject({ code: "server", message: "watch pods: 500 ", retryAfterMs: undefined });
  });
});

describe("parseRetryAfter", () => {
  test.each<[string | undefined, number | undefined]>([
    ["7", 7000],
    ["0", 0],
    ["-5", 0],
    ["10000000000", 300_000],
    ["Thu, 01 Jan 2026 12:00:30 GMT", 30_000],
    ["Thursday, 01-Jan-26 12:00:30 GMT", 30_000],
    ["Thu, 01 Jan 2026 11:00:00 GMT", 0],
    ["Fri, 01 Jan 2027 12:00:00 GMT", 300_000],
    ["", undefined],
    [undefined, undefined],
    ["NaN", undefined],
    ["1.5", undefined],
    ["soon 1", undefined],
    ["Infinity", undefined],
    ["Monday", undefined],
  ])("%j is %j ms", (header, delayMs) => {
    expect(parseRetryAfter(header, NOW)).toBe(delayMs);
  });
});
