/**
 * The programs of a real cluster, built from Go modules that go.sum pins, once per machine.
 * They are kept outside the clone, under a name that tells versions and sources apart, so that clones share them.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isAlive } from "./service.js";

const GO_MODULES = fileURLToPath(new URL("../go", import.meta.url));

export interface ClusterBinaries {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  /** A client-go informer that prints what it is told: see go/kubernetes/clientgo. */
  readonly clientGo: string;
}

export interface ClusterVersions {
  readonly kubernetes: string;
  readonly etcd: string;
  /** The oldest Go that the modules build with. */
  readonly go: string;
}

interface Program {
  readonly file: string;
  readonly module: "kubernetes" | "etcd";
  readonly path: string;
  /** What the person who waits is told. */
  readonly title: string;
}

/** Receives one line per step, and, on a terminal, how far the current step is. */
export interface Progress {
  step(text: string): void;
  status(text: string): void;
}

export const silent: Progress = { step: () => {}, status: () => {} };

/** Thrown when there is nothing to build with; the message says what to do. */
export class GoMissingError extends Error {
  override readonly name = "GoMissingError";
}

/** Versions as the go.mod files name them. */
export function clusterVersions(): ClusterVersions {
  const kubernetes = readModule("kubernetes");
  const find = (text: string, pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`test/cluster/go: no version matches ${pattern}`);
    return found;
  };
  return {
    kubernetes: find(kubernetes, /^\s*k8s\.io\/kubernetes (v\S+)/m),
    etcd: find(readModule("etcd"), /^\s*go\.etcd\.io\/etcd\/server\/v3 (v\S+)/m),
    go: find(kubernetes, /^go (\S+)/m),
  };
}

function readModule(name: string): string {
  return readFileSync(join(GO_MODULES, name, "go.mod"), "utf8");
}

/** Where built programs and a running cluster are kept. `KUBE_INFORMERS_CACHE` overrides it. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env["KUBE_INFORMERS_CACHE"]) return join(env["KUBE_INFORMERS_CACHE"], "cluster");
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "kube-informers", "cluster");
}

function programs({ kubernetes, etcd }: ClusterVersions): Program[] {
  return [
    { file: "etcd", module: "etcd", path: "go.etcd.io/etcd/server/v3", title: `etcd ${etcd}` },
    {
      file: "kube-apiserver",
      module: "kubernetes",
      path: "k8s.io/kubernetes/cmd/kube-apiserver",
      title: `kube-apiserver ${kubernetes}`,
    },
    { file: "kubectl", module: "kubernetes", path: "k8s.io/kubernetes/cmd/kubectl", title: `kubectl ${kubernetes}` },
    { file: "clientgo", module: "kubernetes", path: "./clientgo", title: "a client-go informer" },
  ];
}

/** Versions for the reader, a hash of the sources for certainty. */
function binariesDirectory(versions: ClusterVersions, cache: string): string {
  const hash = createHash("sha256");
  for (const path of [
    "etcd/go.sum",
    "etcd/go.mod",
    "kubernetes/go.sum",
    "kubernetes/go.mod",
    "kubernetes/clientgo/main.go",
  ]) {
    hash.update(readFileSync(join(GO_MODULES, path))).update("\0");
  }
  const platform = `${process.platform}-${process.arch}`;
  return join(
    cache,
    `kubernetes-${versions.kubernetes}-etcd-${versions.etcd}-${platform}-${hash.digest("hex").slice(0, 8)}`,
  );
}

/**
 * The programs, from the cache or newly built: about 4 minutes the first time, most of it kube-apiserver.
 * Any number of processes may ask at once: each builds into a folder of its own, and the first to finish gives its to all.
 */
export async function clusterBinaries(progress: Progress = silent, cache = cacheDirectory()): Promise<ClusterBinaries> {
  const versions = clusterVersions();
  const directory = binariesDirectory(versions, cache);
  if (!existsSync(directory)) await build(versions, directory, cache, progress);
  const [etcd, kubeApiserver, kubectl, clientGo] = programs(versions).map(({ file }) => join(directory, file));
  return { etcd: etcd!, kubeApiserver: kubeApiserver!, kubectl: kubectl!, clientGo: clientGo! };
}

async function build(versions: ClusterVersions, directory: string, cache: string, progress: Progress): Promise<void> {
  await requireGo(versions);
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const unfinished = mkdtempSync(join(cache, `.building-${process.pid}-`));
  try {
    for (const program of programs(versions)) {
      progress.step(`building ${program.title}; this is needed once`);
      await goBuild(program, versions, unfinished, progress);
    }
    renameSync(unfinished, directory);
  } catch (error) {
    // Another process was first: what it built is the same.
    if (!existsSync(directory)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function requireGo({ kubernetes, etcd, go }: ClusterVersions): Promise<void> {
  const found = await new Promise<boolean>((resolve) => {
    const child = spawn("go", ["version"], { stdio: "ignore" });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
  if (found) return;
  throw new GoMissingError(
    [
      `There is no "go" in PATH. kube-apiserver ${kubernetes} and etcd ${etcd} are built with Go ${go} or newer (https://go.dev/dl).`,
      "A cluster that you already have serves as well:",
      "    npm run test:cluster -- --kubeconfig PATH",
      "Tests create and delete namespaces and custom resources there; those that stop and restart servers are skipped.",
    ].join("\n"),
  );
}

function goBuild(program: Program, versions: ClusterVersions, outDirectory: string, progress: Progress): Promise<void> {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(versions.kubernetes) ?? [];
  const version = "k8s.io/component-base/version";
  const link = `-s -w -X ${version}.gitVersion=${versions.kubernetes} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`;
  const ldflags = program.module === "kubernetes" ? link : "-s -w";
  const out = join(outDirectory, program.file);
  // -v names each package as it compiles: the only measure of progress that Go gives.
  const args = ["build", "-v", "-mod=readonly", "-buildvcs=false", "-ldflags", ldflags, "-o", out, program.path];
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, { cwd: join(GO_MODULES, program.module), stdio: ["ignore", "ignore", "pipe"] });
    let output = "";
    let packages = 0;
    const show = () => {
      const seconds = Math.round((performance.now() - started) / 1000);
      const compiled = packages === 0 ? "" : `${packages} packages compiled, `;
      progress.status(`${program.title}: ${compiled}${seconds} s`);
    };
    const ticking = setInterval(show, 1000);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      packages += text.split("\n").filter((line) => line !== "" && !line.startsWith("go: ")).length;
      output = (output + text).slice(-4000);
      show();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(ticking);
      if (code === 0) resolve();
      else reject(new Error(`go build ${program.path} ended with ${code}:\n${output}`));
    });
  });
}

/** Removes what builds left that were interrupted. Their folders carry the id of the process that made them. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(cache)) {
    const pid = /^\.building-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(cache, name), { recursive: true, force: true });
  }
}
