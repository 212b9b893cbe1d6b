/** One server process: started, signalled, waited for. Output goes to a file, so that it can outlive its parent. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { until } from "./until.js";

export interface ServiceOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Asked until it answers true; an exit of the process ends the wait. */
  readonly isReady: () => Promise<boolean>;
  /** Is told the id of each process before anything else happens to it. */
  readonly onStart: (pid: number) => void;
  readonly deadlineMs?: number;
}

export class Service {
  readonly name: string;
  readonly #options: ServiceOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: ServiceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and waits until it is ready. The same arguments each time, so a restart is the same server. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} is running`);
    const { program, args, logFile, isReady, onStart, deadlineMs = 60_000 } = this.#options;
    const log = openSync(logFile, "a");
    // A session of its own: Ctrl-C at the terminal must not stop servers before those who use them are done.
    const child = spawn(program, args, { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    this.#child = child;
    let ended: string | undefined;
    this.#exited = new Promise((resolve) => {
      const end = (how: string) => {
        ended = how;
        if (this.#child === child) this.#child = undefined;
        resolve();
      };
      child.on("error", (error) => end(error.message));
      child.on("exit", (code, signal) => end(`exit code ${code ?? signal}`));
    });
    // The servers alone must not keep their parent alive.
    child.unref();
    if (child.pid !== undefined) onStart(child.pid);
    try {
      const answer = await until(`${this.name} to be ready`, async () => ended !== undefined || (await isReady()), {
        deadlineMs,
        intervalMs: 50,
      });
      if (answer && ended !== undefined) throw new Error(`${this.name} ended at once: ${ended}`);
    } catch (error) {
      await this.kill("SIGKILL");
      throw new Error(`${(error as Error).message}\n${lastLines(logFile)}`, { cause: error });
    }
  }

  /** SIGSTOP and SIGCONT: the process freezes or goes on, its connections stay open. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child === undefined) throw new Error(`${this.name} is not running`);
    this.#child.kill(signal);
  }

  /** Ends the process and waits until it is gone; does nothing if it is not running. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#child?.ref();
    this.#child?.kill(signal);
    await this.#exited;
  }
}

function lastLines(path: string, count = 15): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-count).join("\n");
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process is running whose command line names a folder: how a recorded id is told from a reused one. */
export function isOurs(pid: number, directory: string): boolean {
  let command: string;
  try {
    command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    command = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
  }
  return command.includes(directory);
}

let nextPort = 20_000 + Math.floor(Math.random() * 12_000);

/**
 * A free port of the loopback interface, below the range that systems use for outgoing connections: while a server is
 * down, none of its clients may be given its port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = nextPort;
    nextPort = port >= 32_000 ? 20_000 : port + 1;
    if (await isFree(port)) return port;
  }
  throw new Error("no free port between 20000 and 32000");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Ends recorded processes and removes their folder as soon as this process is gone, however it went: a shell that
 * waits for the end of its input. Gives the function that reports a process to it, and the one that lets it go to work.
 */
export function startGuardian(directory: string): { guard(pid: number): void; release(): Promise<void> } {
  const script = `
    trap '' INT TERM HUP
    while read -r pid; do pids="$pids $pid"; done
    for pid in $pids; do
      command=$(tr '\\0' ' ' 2>/dev/null < "/proc/$pid/cmdline" || ps -o command= -p "$pid")
      case "$command" in *"$1"*) kill -9 "$pid";; esac
    done
    rm -rf "$1"`;
  const child = spawn("sh", ["-c", script, "guardian", directory], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const unref = (item: unknown) => (item as { unref(): void }).unref();
  unref(child);
  unref(child.stdin);
  return {
    guard: (pid) => {
      child.stdin.write(`${pid}\n`);
    },
    release: () => {
      child.ref();
      child.stdin.end();
      return exited;
    },
  };
}
