import { describe, expect, test } from "vitest";
import { DeltaFIFO } from "../../runtime/cache/delta-fifo.js";
import { delta, describeItem, describeQueueContract, popAll } from "../contracts/queue.js";
import { thing } from "../support/entries.js";

describeQueueContract("DeltaFIFO", () => new DeltaFIFO());

describe("DeltaFIFO", () => {
  test("collects the changes of a key in the place of the first", () => {
    const queue = new DeltaFIFO();
    queue.enqueue(delta("Added", "a", 1));
    queue.enqueue(delta("Added", "b", 2));
    queue.enqueue(delta("Updated", "a", 3));
    queue.enqueue(delta("Deleted", "a", 4));
    queue.enqueue(delta("Added", "a", 5));
    expect(queue.length).toBe(2);
    expect(popAll(queue).map(describeItem)).toEqual(["a: Added 1, Updated 3, Deleted 4, Added 5", "b: Added 2"]);
  });

  test("two deletions in a row are one", () => {
    const queue = new DeltaFIFO();
    queue.enqueue(delta("Deleted", "a", 1));
    queue.enqueue(delta("Deleted", "a", 1));
    queue.enqueue(delta("Added", "a", 2));
    queue.enqueue(delta("Deleted", "a", 3));
    expect(popAll(queue).map(describeItem)).toEqual(["a: Deleted 1, Added 2, Deleted 3"]);
  });

  test("what was popped is collected no more", () => {
    const queue = new DeltaFIFO();
    queue.enqueue(delta("Added", "a", 1));
    const popped = queue.pop();
    queue.enqueue(delta("Updated", "a", 2));
    expect(popped && describeItem(popped)).toBe("a: Added 1");
    expect(popAll(queue).map(describeItem)).toEqual(["a: Updated 2"]);
  });

  test("popping what came before a replace leaves what came after it open", () => {
    const queue = new DeltaFIFO();
    queue.enqueue(delta("Added", "a", 1));
    queue.replace([thing("a", "2")], "2");
    queue.enqueue(delta("Updated", "a", 3));
    queue.pop();
    queue.enqueue(delta("Updated", "a", 4));
    expect(popAll(queue).map(describeItem)).toEqual(["replaced 2: a", "a: Updated 3, Updated 4"]);
  });

  test("has an item for each key, however many changes there are", () => {
    const queue = new DeltaFIFO();
    for (let version = 1; version <= 1000; version++) queue.enqueue(delta("Updated", `pod-${version % 10}`, version));
    expect(queue.length).toBe(10);
  });
});
