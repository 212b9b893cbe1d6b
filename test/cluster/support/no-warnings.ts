/** Node warns of leaks in the making, and goes on: here such a warning fails the file that it came from. */
import { afterAll, expect } from "vitest";

const leaks: string[] = [];

process.on("warning", ({ name, message }) => {
  if (name === "MaxListenersExceededWarning") leaks.push(message);
});

afterAll(() => {
  expect(leaks).toEqual([]);
});
