/** The soak's own judge: each kind of lie is found, and the truth is not complained about. */
import { describe, expect, test } from "vitest";
import type { HandlerFacts, Told, View } from "./protocol.js";
import { HandlerCheck, Truth } from "./truth.js";

function bench(view: View = {}, sinceMs = 0) {
  const truth = new Truth();
  const facts: HandlerFacts = { id: 1, resource: "small", informer: "all/small", view, kind: "plain" };
  const check = new HandlerCheck(facts, truth, sinceMs);
  const tell = (told: Told, sequence: number, before = 0, key = "ns/a") =>
    check.tell([1, told, key, sequence, before, 100]).found.map(({ breach }) => breach);
  const write = (sequence: number, tier = "front", atMs = sequence) =>
    truth.write("small", "ns/a", sequence, tier, atMs);
  return { truth, check, tell, write };
}

test("a true story is believed, and leaves nobody behind", () => {
  const { truth, check, tell, write } = bench();
  write(1);
  write(2);
  truth.delete("small", "ns/a", 3);
  write(4);
  expect([tell("i", 1), tell("u", 2, 1), tell("d", 2), tell("a", 4)].flat()).toEqual([]);
  expect([...check.behind()]).toEqual([]);
  expect(check.skipped).toEqual([]);
});

describe("it is found when a handler", () => {
  test("is told of what never was", () => {
    const { tell, write } = bench();
    write(1);
    expect(tell("a", 7)).toEqual(["phantom"]);
  });

  test("is told of what is over", () => {
    const { tell, write } = bench();
    write(1);
    write(2);
    tell("a", 2);
    expect(tell("u", 1, 2)).toEqual(["order"]);
  });

  test("is told twice", () => {
    const { tell, write } = bench();
    write(1);
    tell("a", 1);
    expect(tell("u", 1, 1)).toEqual(["duplicate"]);
    expect(tell("a", 1)).toContain("malformed");
  });

  test("is told of a change or an end without a beginning, or from elsewhere", () => {
    const { truth, tell, write } = bench();
    write(1);
    write(2);
    write(3);
    expect(tell("u", 1, 0)).toEqual(["malformed"]);
    expect(tell("u", 3, 2)).toEqual(["malformed"]);
    truth.delete("small", "ns/a", 4);
    tell("d", 3);
    expect(tell("d", 3)).toContain("malformed");
  });

  test("is not told of a deletion, a change or an object", () => {
    const { truth, check, tell, write } = bench();
    write(1);
    expect([...check.behind()]).toEqual(["ns/a"]);
    tell("a", 1);
    write(2);
    expect([...check.behind()]).toEqual(["ns/a"]);
    tell("u", 2, 1);
    truth.delete("small", "ns/a", 3);
    expect([...check.behind()]).toEqual(["ns/a"]);
  });

  test("is told of a later state in place of one between", () => {
    const { check, tell, write } = bench();
    write(1);
    tell("a", 1);
    write(2, "front", 50);
    write(3);
    expect(tell("u", 3, 1)).toEqual([]);
    expect(check.skipped.map(({ sequence, atMs }) => [sequence, atMs])).toEqual([[2, 50]]);
  });

  test("is told of another namespace", () => {
    const { tell, write } = bench({ namespace: "other" });
    write(1);
    expect(tell("a", 1)).toEqual(["phantom"]);
  });
});

test("to a selector an object that leaves it is gone, and nothing between is missing", () => {
  const { check, tell, write } = bench({ tier: "front" });
  write(1);
  tell("a", 1);
  write(2, "back");
  write(3, "back");
  write(4, "front");
  expect([tell("d", 2), tell("a", 4)].flat()).toEqual([]);
  expect(check.skipped).toEqual([]);
  expect([...check.behind()]).toEqual([]);
});

test("after a restore the old state comes again, and is no step back", () => {
  const { truth, check, tell, write } = bench();
  write(1);
  tell("a", 1);
  const mark = truth.mark();
  write(2);
  tell("u", 2, 1);
  truth.rewind(mark, 3);
  expect([...check.behind()]).toEqual(["ns/a"]);
  expect(tell("u", 1, 2)).toEqual([]);
  expect([...check.behind()]).toEqual([]);
});

test("after a restore of an object that was deleted and created again, the later one is told as gone", () => {
  const { truth, check, tell, write } = bench();
  write(1);
  tell("a", 1);
  const mark = truth.mark();
  truth.delete("small", "ns/a", 2);
  write(3);
  expect([tell("d", 1), tell("a", 3)].flat()).toEqual([]);
  truth.rewind(mark, 4);
  expect([tell("t", 3), tell("a", 1)].flat()).toEqual([]);
  expect([...check.behind()]).toEqual([]);
});

test("after a restore nothing is gone that was there all the time", () => {
  const { truth, tell, write } = bench();
  write(1);
  tell("a", 1);
  const mark = truth.mark();
  write(2);
  tell("u", 2, 1);
  truth.rewind(mark, 3);
  expect(tell("t", 2)).toEqual(["order"]);
});

test("what was compared is forgotten, but for the present; what was wrong counts once", () => {
  const { truth, check, tell, write } = bench();
  write(1);
  tell("a", 1);
  write(2);
  expect([...check.behind()]).toEqual(["ns/a"]);
  truth.compact();
  check.compacted();
  expect([...check.behind()]).toEqual([]);
  write(3);
  expect(tell("u", 3, 2)).toEqual([]);
  expect(truth.histories("small").get("ns/a")).toHaveLength(2);
});

test("who joins late is not asked about what was before", () => {
  const { check, tell, write } = bench({}, 10);
  write(1, "front", 1);
  write(2, "front", 2);
  expect(tell("a", 2)).toEqual([]);
  expect(check.skipped).toEqual([]);
});
