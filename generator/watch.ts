/** Runs again whenever one of the sources changes. */
import { type FSWatcher, watch } from "node:fs";
import { exitCodes } from "./errors.js";

/** An editor writes a file in several steps. */
const settleMs = 100;

/** Runs once, then after every change, until the signal (or the process) ends it. */
export async function watchSources(
  sources: readonly string[],
  signal: AbortSignal | undefined,
  runOnce: () => Promise<void>,
): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(runOnce);
    }, settleMs);
  };
  const watchers: FSWatcher[] = [];
  try {
    for (const source of sources) watchers.push(watch(source, { recursive: true }, changed));
    running = running.then(runOnce);
    await running;
    await new Promise<void>((resolve) => {
      if (signal?.aborted === true) resolve();
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
    await running;
  } finally {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  }
  return exitCodes.done;
}
