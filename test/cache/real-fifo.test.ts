import { describe, expect, test } from "vitest";
import { RealFIFO } from "../../runtime/cache/real-fifo.js";
import { delta, describeItem, describeQueueContract, popAll } from "../contracts/queue.js";

describeQueueContract("RealFIFO", () => new RealFIFO());

describe("RealFIFO", () => {
  test("gives every change by itself, in the order of the stream", () => {
    const queue = new RealFIFO();
    queue.enqueue(delta("Added", "a", 1));
    queue.enqueue(delta("Added", "b", 2));
    queue.enqueue(delta("Updated", "a", 3));
    queue.enqueue(delta("Deleted", "b", 4));
    queue.enqueue(delta("Deleted", "b", 4));
    expect(popAll(queue).map(describeItem)).toEqual([
      "a: Added 1",
      "b: Added 2",
      "a: Updated 3",
      "b: Deleted 4",
      "b: Deleted 4",
    ]);
  });
});
