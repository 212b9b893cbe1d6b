/** Words to write scripts in. Each script begins with an empty server at resourceVersion 100. */
import { line } from "../../support/wire-server.js";
import type { Script, Step, Verb } from "./script.js";

export type Draft = Omit<Script, "name" | "differs">;

export const write = (key: string, app?: string, note?: string): Step => ({
  do: "write",
  key,
  ...(app !== undefined && { app }),
  ...(note !== undefined && { note }),
});
export const remove = (key: string): Step => ({ do: "remove", key });
export const recreate = (key: string): Step => ({ do: "recreate", key });
export const handler = (name = "h", options: { resyncMs?: number; filter?: string } = {}): Step => ({
  do: "handler",
  name,
  ...options,
});
export const unhandle = (name: string): Step => ({ do: "unhandle", name });
export const start: Step = { do: "start" };
export const stop: Step = { do: "stop" };
export const settle: Step = { do: "settle" };
export const bookmark: Step = { do: "bookmark" };
export const compact: Step = { do: "compact" };
export const index: Step = { do: "index" };
export const pass = (ms: number): Step => ({ do: "pass", ms });
export const requests = (count: number): Step => ({ do: "requests", count });
export const events = (name: string, count: number): Step => ({ do: "events", name, count });
export const end = (how: Extract<Step, { do: "end" }>["how"]): Step => ({ do: "end", how });
export const send = (text: string): Step => ({ do: "send", line: text });
export const fault = (on: Verb, what: Extract<Step, { do: "fault" }>["fault"]): Step => ({
  do: "fault",
  on,
  fault: what,
});
export const status = (on: Verb, code: number, reason?: string, cause?: string): Step =>
  fault(on, { status: code, ...(reason && { reason }), ...(cause && { cause }) });
export const error = (on: Verb, code: number, reason: string): Step =>
  fault(on, {
    lines: [
      `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":${code},"reason":"${reason}"}}\n`,
    ],
    end: "clean",
  });
export const object = (key: string, version: number): string =>
  `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${key}","uid":"uid-${key}","resourceVersion":"${version}"}}`;
/** The same of a, b and c as {@link synced} has written them: their uids have a number. */
export const asWritten = (text: string): string =>
  text.replaceAll(/"uid-([abc])"/g, (_, key: string) => `"uid-${key}-${"abc".indexOf(key) + 1}"`);
export const frame = (type: string, key: string, version: number): string =>
  `{"type":"${type}","object":${object(key, version)}}\n`;
export const plainBookmark = (resourceVersion: string): string =>
  line("BOOKMARK", { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion } });

/** In place of a list: its objects, and the token of what follows, or `""`. */
export const page = (token: string, ...objects: readonly (readonly [key: string, version: number])[]): Step => {
  const items = objects.map(([key, version]) => object(key, version)).join();
  const metadata = `{"resourceVersion":"103","continue":"${token}"}`;
  const text = `{"kind":"ConfigMapList","apiVersion":"v1","metadata":${metadata},"items":[${items}]}`;
  return fault("list", { lines: [asWritten(text)], end: "clean" });
};
/** A list that breaks off within its second object. */
export const HALF = `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"103"},"items":[${object("a", 101)},{"metadata":{"na`;

/** An informer with one handler that knows a, b and c. */
export const synced: readonly Step[] = [write("a"), write("b"), write("c"), handler(), start, settle, settle];
/** One whose handler filters, and was told of an object that left its filter, and of another that came into it. */
export const filtered: readonly Step[] = [
  write("a", "yes"),
  write("b", "no"),
  handler("h", { filter: "yes" }),
  start,
  settle,
  write("a", "no"),
  write("b", "yes"),
  settle,
];
/** One with an index from the beginning. */
export const indexed: readonly Step[] = [index, write("a", "one"), write("b", "two"), handler(), start, settle];
/** The watch breaks, and the next is refused for now. @param before requests that were made until then */
export const awayAfter = (before: number): readonly Step[] => [
  status("watch", 429, "TooManyRequests"),
  end("reset"),
  requests(before + 1),
];
export const plain = { streaming: false } as const;
