/** The process that is judged, in whichever language it is written: both are told and tell the same. See protocol.ts. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FromClient, ToClient } from "./protocol.js";

export interface Subject {
  readonly name: string;
  readonly isAlive: boolean;
  /** Says how, when it did not end well. */
  readonly ended: Promise<string | undefined>;
  send(message: ToClient): void;
  kill(): void;
}

export type StartSubject = (receive: (message: FromClient) => void) => Subject;

/** Our informers: client.ts. */
export const ours: StartSubject = (receive) => {
  const child = fork(fileURLToPath(new URL("client.ts", import.meta.url)), {
    execArgv: ["--expose-gc", "--import", "tsx"],
    // Production's settings: what is measured is what users run.
    env: { ...process.env, NODE_ENV: "production" },
  });
  child.on("message", receive);
  return subject("kube-informers", child, (message) => {
    if (child.connected) child.send(message);
  });
};

/** client-go's: a program of client-go/soak, whose messages are lines of JSON. */
export const clientGo =
  (program: string): StartSubject =>
  (receive) => {
    const child = spawn(program, { stdio: ["pipe", "pipe", "ignore"] });
    createInterface(child.stdout).on("line", (line) => receive(JSON.parse(line) as FromClient));
    // A pipe whose reader is gone; that it is gone is told by its end.
    child.stdin.on("error", () => {});
    return subject("client-go", child, (message) => void child.stdin.write(`${JSON.stringify(message)}\n`));
  };

function subject(name: string, child: ChildProcess, send: (message: ToClient) => void): Subject {
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : `${code ?? signal}`));
  });
  return {
    name,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
    ended,
    send,
    kill: () => void child.kill("SIGKILL"),
  };
}
