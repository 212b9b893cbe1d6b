import { describe, expect, test } from "vitest";
import { InformerError, isInformerError, messageOf, toInformerError } from "../../runtime/api/informer-error.js";

describe("InformerError", () => {
  test("is recognised across two copies of the package", () => {
    const foreign = Object.assign(new Error("x"), { name: "InformerError", code: "connection" });
    expect(isInformerError(foreign)).toBe(true);
    expect(isInformerError(new InformerError("usage", "x"))).toBe(true);
  });

  test.each([[new Error("x")], [{ name: "InformerError", code: "usage" }], ["InformerError"], [undefined], [null]])(
    "%o is none",
    (value) => {
      expect(isInformerError(value)).toBe(false);
    },
  );

  test("what already is one stays itself; anything else is wrapped and kept as the cause", () => {
    const own = new InformerError("expired", "x");
    expect(toInformerError(own, "protocol", "list pods")).toBe(own);
    const cause = new TypeError("boom");
    const wrapped = toInformerError(cause, "handler", "handler of default/web");
    expect(wrapped).toMatchObject({ code: "handler", message: "handler of default/web: boom", cause });
  });

  test("whatever is thrown has a message", () => {
    expect(messageOf("text")).toBe("text");
    expect(messageOf(undefined)).toBe("undefined");
    expect(messageOf(new AggregateError([new Error("ECONNREFUSED ::1"), new Error("ECONNREFUSED 127.0.0.1")]))).toBe(
      "ECONNREFUSED ::1; ECONNREFUSED 127.0.0.1",
    );
    expect(messageOf(new AggregateError([new Error("a")], "both failed"))).toBe("both failed");
  });
});
