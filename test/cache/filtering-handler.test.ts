import { describe, expect, test } from "vitest";
import { deliver, Notification, type ResourceEvent } from "../../runtime/cache/event-handler.js";
import { filteringResourceEventHandler } from "../../runtime/cache/filtering-handler.js";
import { recorder, type Thing, thing } from "../support/entries.js";

const at = (version: number, value: string) => thing("ns/a", String(version), { value });
const event = (notification: Notification<Thing>) => notification as unknown as ResourceEvent<Thing>;
const update = (from: string, to: string) => event(Notification.update(at(1, from), at(2, to), 0));

describe("a filtering handler", () => {
  const CASES: readonly (readonly [string, ResourceEvent<Thing>, string[]])[] = [
    ["an add that passes", event(Notification.add(at(1, "in"), true, 0)), ["add ns/a@1 initial"]],
    ["an add that does not", event(Notification.add(at(1, "out"), true, 0)), []],
    ["an update of what passes and passed", update("in", "in"), ["update ns/a@1→2"]],
    ["an update by which it begins to pass", update("out", "in"), ["add ns/a@2"]],
    ["an update by which it passes no more", update("in", "out"), ["delete ns/a@1"]],
    ["an update of what never passed", update("out", "out"), []],
    ["a delete of what passed", event(Notification.delete(at(1, "in"), at(2, "in"), 0)), ["delete ns/a@2"]],
    ["a delete of what did not", event(Notification.delete(at(1, "out"), at(2, "out"), 0)), []],
    [
      "a delete of what passed as the handler saw it last",
      event(Notification.delete(at(1, "in"), at(2, "out"), 0)),
      ["delete ns/a@2"],
    ],
  ];
  const passes = ({ object }: { object: { spec?: { value?: string } } }) => object.spec?.value === "in";

  test.each(CASES)("S16 %s", (_, given, told) => {
    const { log, handler } = recorder();
    void filteringResourceEventHandler<Thing>(passes, handler)(given);
    expect(log).toEqual(told);
  });

  test.each(CASES)("as a function: %s", (_, given, told) => {
    const { log, handler } = recorder();
    void filteringResourceEventHandler<Thing>(passes, (seen) => deliver(seen, handler))(given);
    expect(log).toEqual(told);
  });

  test("can be put into another", () => {
    const { log, handler } = recorder();
    const inner = filteringResourceEventHandler<Thing>(passes, handler);
    void filteringResourceEventHandler<Thing>(({ key }) => key.startsWith("ns/"), inner)(update("out", "in"));
    expect(log).toEqual(["add ns/a@2"]);
  });

  test("gives back the handler's promise, so that it is awaited", async () => {
    const promise = Promise.resolve();
    expect(filteringResourceEventHandler<Thing>(passes, () => promise)(update("in", "in"))).toBe(promise);
  });

  test("decodes nothing for a filter and a handler that look at keys alone", () => {
    const [old, entry] = [at(1, "in"), at(2, "in")];
    const keys: string[] = [];
    const handle = filteringResourceEventHandler<Thing>(
      ({ key }) => key === "ns/a",
      ({ key }) => void keys.push(key),
    );
    void handle(event(Notification.update(old, entry, 0)));
    void handle(event(Notification.delete(old, entry, 0)));
    expect(keys).toEqual(["ns/a", "ns/a"]);
    expect([old.isDecoded, entry.isDecoded]).toEqual([false, false]);
  });
});
