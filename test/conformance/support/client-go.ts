/** client-go's informer as the subject of a script: a program of its own, which reads commands and prints calls. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Deferred, deferred } from "../../../runtime/util/abort.js";
import type { ClientState, Subject } from "./run.js";
import type { InformerSetup } from "./script.js";
import type { ScriptServer } from "./server.js";

/** client-go waits in real time. */
const PATIENCE_MS = 60_000;

type Line = { handler: string; event: string } | { done: string; error?: string; state?: ClientState };

export async function clientGo(program: string, server: ScriptServer, setup: InformerSetup): Promise<Subject> {
  const address = await server.listen();
  const child = spawn(program, [JSON.stringify({ ...setup, server: address })], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const logs = new Map<string, string[]>();
  let changed: Deferred<void> = deferred();
  let answered: Deferred<ClientState | undefined> | undefined;
  const notify = () => {
    const { resolve } = changed;
    changed = deferred();
    resolve();
  };
  server.onRequest = notify;
  createInterface(child.stdout).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    if ("event" in line) logs.get(line.handler)?.push(line.event);
    else if (line.error === undefined) answered?.resolve(line.state);
    else answered?.reject(new Error(`client-go, ${line.done}: ${line.error}`));
    notify();
  });
  void ended.then(() => answered?.reject(new Error("client-go's program has ended")));
  const command = (step: object) => {
    answered = deferred();
    child.stdin.write(`${JSON.stringify(step)}\n`);
    return answered.promise;
  };
  const until = async (what: string, condition: () => boolean) => {
    const late = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), PATIENCE_MS).unref());
    while (!condition()) {
      if ((await Promise.race([changed.promise, late])) === "late")
        throw new Error(`not within ${PATIENCE_MS} ms: ${what}; ${JSON.stringify(server.requests.slice(-5))}`);
    }
  };
  return {
    logs,
    until,
    do: async (step) => {
      if (step.do === "handler") logs.set(step.name, []);
      await command(step);
    },
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    state: async () => (await command({ do: "state" }))!,
    close: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
}
