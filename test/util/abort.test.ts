import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { abortError, childAbort, deferred, onAbort, unlessAborted } from "../../runtime/util/abort.js";

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("childAbort", () => {
  test("aborts with its parent, for the parent's reason", () => {
    const parent = new AbortController();
    const child = childAbort(parent.signal);
    expect(child.signal.aborted).toBe(false);
    const reason = new Error("stop");
    parent.abort(reason);
    expect(child.signal.aborted).toBe(true);
    expect(child.signal.reason).toBe(reason);
  });

  test("is aborted at once under an aborted parent", () => {
    const reason = new Error("stop");
    expect(childAbort(AbortSignal.abort(reason)).signal.reason).toBe(reason);
  });

  test("aborts alone, and leaves its parent running", () => {
    const parent = new AbortController();
    childAbort(parent.signal).controller.abort();
    expect(parent.signal.aborted).toBe(false);
  });

  test("works without a parent", () => {
    const child = childAbort(undefined);
    child.controller.abort();
    expect(child.signal.aborted).toBe(true);
    child.release();
  });

  test("once released it leaves nothing with its parent, and hears no more of it", () => {
    const parent = new AbortController();
    const children = Array.from({ length: 100 }, () => childAbort(parent.signal));
    for (const child of children) child.release();
    expect(listeners(parent.signal)).toBe(0);
    parent.abort();
    expect(children.some((child) => child.signal.aborted)).toBe(false);
  });
});

test("sixty informers under one signal make Node warn of no leak", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  const { signal } = new AbortController();
  const children = Array.from({ length: 60 }, () => childAbort(signal));
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
  expect(listeners(signal)).toBe(children.length);
});

describe("onAbort", () => {
  test("calls back once, and leaves no listener", () => {
    const { signal, ...controller } = withAbort();
    let calls = 0;
    onAbort(signal, () => calls++);
    controller.abort();
    controller.abort();
    expect(calls).toBe(1);
    expect(listeners(signal)).toBe(0);
  });

  test("calls back at once when the signal has aborted", () => {
    let calls = 0;
    onAbort(AbortSignal.abort(), () => calls++);
    expect(calls).toBe(1);
  });

  test("a subscription that was ended is not called", () => {
    const { signal, ...controller } = withAbort();
    let calls = 0;
    onAbort(signal, () => calls++)();
    expect(listeners(signal)).toBe(0);
    controller.abort();
    expect(calls).toBe(0);
  });
});

describe("unlessAborted", () => {
  test("gives what the promise gives, or its failure, and leaves no listener", async () => {
    const { signal } = withAbort();
    expect(await unlessAborted(Promise.resolve(5), signal)).toBe(5);
    await expect(unlessAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
    expect(listeners(signal)).toBe(0);
  });

  test("fails by the signal, and the promise goes on alone", async () => {
    const { signal, abort } = withAbort();
    const work = deferred();
    const waiting = unlessAborted(work.promise, signal);
    abort();
    await expect(waiting).rejects.toThrow();
    work.reject(new Error("too late to be heard of"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(listeners(signal)).toBe(0);
  });
});

test("abortError is the signal's reason, or an error where that is none", () => {
  const reason = new Error("stop");
  expect(abortError(AbortSignal.abort(reason))).toBe(reason);
  expect(abortError(AbortSignal.abort("stop"))).toBeInstanceOf(Error);
});

test("deferred settles from outside", async () => {
  const good = deferred<number>();
  good.resolve(5);
  await expect(good.promise).resolves.toBe(5);
  const bad = deferred();
  bad.reject(new Error("no"));
  await expect(bad.promise).rejects.toThrow("no");
});

function withAbort(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
