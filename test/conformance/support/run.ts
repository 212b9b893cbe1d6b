/** Takes a script step by step, and an implementation with it. It goes on when something was seen, never after some time. */
import type { InformerSetup, Outcome, Script, Step } from "./script.js";
import { ScriptServer, SETTLED } from "./server.js";

export type ClientStep = Extract<Step, { do: "handler" | "unhandle" | "index" | "start" | "stop" }>;
export type ClientState = Pick<Outcome, "synced" | "handlersSynced" | "store" | "index">;

/** An implementation of informers, as a script sees it. */
export interface Subject {
  /** Of each handler, as it was called. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  do(step: ClientStep): Promise<void>;
  /** Waits until it is so. @throws Error when it never is */
  until(what: string, condition: () => boolean): Promise<void>;
  pass(ms: number): Promise<void>;
  state(): Promise<ClientState>;
  close(): Promise<void>;
}

export async function runScript(
  script: Script,
  subjectOf: (server: ScriptServer, setup: InformerSetup) => Promise<Subject>,
): Promise<Outcome> {
  const { informer: setup = {}, steps } = script;
  const server = new ScriptServer(script.server);
  const subject = await subjectOf(server, setup);
  const handlers = new Set<string>();
  try {
    for (const step of steps) {
      switch (step.do) {
        case "write":
          server.write(step.key, step.app, step.note);
          break;
        case "remove":
          server.remove(step.key);
          break;
        case "recreate":
          server.remove(step.key);
          server.write(step.key);
          break;
        case "bookmark":
          server.bookmark();
          break;
        case "compact":
          server.compact();
          break;
        case "fault":
          server.fault(step.on, step.fault);
          break;
        case "end":
          server.end(step.how);
          break;
        case "send":
          server.send(step.line);
          break;
        case "settle": {
          const seen = `${SETTLED}@${server.settle(setup.namespace)}`;
          await subject.until(`${seen} is known`, () => {
            const known = [...handlers].every((name) => subject.logs.get(name)?.some((event) => tellsOf(event, seen)));
            return known && server.watches.length > 0;
          });
          break;
        }
        case "requests":
          await subject.until(`${step.count} requests`, () => server.requests.length >= step.count);
          break;
        case "events":
          await subject.until(
            `${step.count} calls of ${step.name}`,
            () => withoutSettling(subject.logs.get(step.name)).length >= step.count,
          );
          break;
        case "pass":
          await subject.pass(step.ms);
          break;
        default:
          if (step.do === "handler") handlers.add(step.name);
          if (step.do === "unhandle") handlers.delete(step.name);
          await subject.do(step);
      }
    }
    if (server.unmetFaults > 0) throw new Error(`${script.name}: ${server.unmetFaults} faults were not met`);
    const requests = [...server.requests];
    const state = await subject.state();
    return outcome(requests, subject.logs, state);
  } finally {
    await subject.close();
    server.close();
  }
}

/** Order is kept for each object; there is none between objects. Calls that only settle are left out. */
function outcome(requests: string[], logs: ReadonlyMap<string, readonly string[]>, state: ClientState): Outcome {
  const names = [...logs.keys()].sort();
  const handlers = Object.fromEntries(names.map((name) => [name, byKey(withoutSettling(logs.get(name)))]));
  const handlersSynced = Object.fromEntries(Object.entries(state.handlersSynced).sort(([a], [b]) => (a < b ? -1 : 1)));
  const store = state.store.filter((object) => !isSettling(object)).sort();
  const { synced, index } = state;
  const kept =
    index &&
    Object.fromEntries(
      Object.entries(index)
        .map(([value, keys]) => [value, keys.filter((key) => !isSettling(`${key}@`))] as const)
        .filter(([, keys]) => keys.length > 0)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return { requests, handlers, synced, handlersSynced, store, ...(kept && { index: kept }) };
}

function tellsOf(event: string, seen: string): boolean {
  const [, key = "", version = ""] = /(\S+)@(\S+)/.exec(event) ?? [];
  const newest = version.split("→").at(-1);
  return `${key.split("/").at(-1)}@${newest}` === seen;
}

function isSettling(text: string): boolean {
  return text.split(" ").some((word) => word.startsWith(`${SETTLED}@`) || word.includes(`/${SETTLED}@`));
}

function withoutSettling(log: readonly string[] = []): string[] {
  return log.filter((event) => !isSettling(event));
}

function byKey(log: string[]): string[] {
  const keyOf = (event: string) => event.split(" ")[1]!.split("@")[0]!;
  return log.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}
