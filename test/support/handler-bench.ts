/** For each test an informer whose first stream has one object, `ns/a` of value `x`, and goes on as the watch. */
import { afterEach, beforeEach, expect } from "vitest";
import type { HandlerHealth } from "../../runtime/cache/processor.js";
import { thing } from "./entries.js";
import { InformerBench } from "./informer.js";
import { type ScriptedWatch, synced } from "./scripted-lister-watcher.js";

export class HandlerBench {
  bench!: InformerBench;
  watch!: ScriptedWatch;

  /** To be called once in a file. After each test the informer stops, within two seconds, and no rejection was unhandled. */
  constructor() {
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    beforeEach(() => {
      this.watch = synced(thing("ns/a", "1", { value: "x" }));
      this.newBench();
      rejections.length = 0;
      process.on("unhandledRejection", onRejection);
    });
    afterEach(async () => {
      const stopped = this.bench.stop();
      await this.bench.clock.advance(2_000);
      await stopped;
      process.off("unhandledRejection", onRejection);
      expect(rejections).toEqual([]);
    });
  }

  /** Another informer in place of the first, over the same watch. */
  newBench(...options: ConstructorParameters<typeof InformerBench>): void {
    this.bench = new InformerBench(...options);
    this.bench.server.onWatch(this.watch);
  }

  /** Adds a handler that writes down what it is told. */
  record(): ReturnType<InformerBench["record"]> {
    return this.bench.record();
  }

  health(name: string): HandlerHealth | undefined {
    return this.bench.informer.health().handlers.find((handler) => handler.name === name);
  }

  reported(): string[] {
    return this.bench.errors.map(({ code, message }) => `${code}: ${message}`);
  }
}
