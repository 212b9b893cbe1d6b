/** Building once, with a `go` that only pretends; the real one is exercised by the cluster tests. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { parseArguments } from "../../scripts/test-cluster.js";
import { cacheDirectory, clusterBinaries, clusterVersions, GoMissingError } from "../cluster/support/binaries.js";

let folder: string;
let cache: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kube-informers-binaries-"));
  cache = join(folder, "cache", "cluster");
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });
});

/** Puts a `go` first in PATH that notes each call and writes what is asked for, or does as `script` says. */
function pretendGo(
  script = `[ "$1" = build ] || exit 0; while [ "$1" != -o ]; do shift; done; echo built > "$2"`,
): () => number {
  const bin = join(folder, "bin");
  const calls = join(folder, "calls");
  mkdirSync(bin, { recursive: true });
  writeFileSync(calls, "");
  writeFileSync(join(bin, "go"), `#!/bin/sh\necho "$1" >> "${calls}"\n${script}\n`);
  chmodSync(join(bin, "go"), 0o755);
  vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
  return () => readFileSync(calls, "utf8").split("build").length - 1;
}

test("versions are those of the go.mod files", () => {
  expect(clusterVersions()).toEqual({ kubernetes: "v1.36.3", etcd: "v3.7.2", go: "1.26.0" });
});

test("builds once, says so, and finds it the next time", async () => {
  const builds = pretendGo();
  const steps: string[] = [];
  const progress = { step: (text: string) => steps.push(text), status: () => {} };
  const binaries = await clusterBinaries(progress, cache);
  expect(readFileSync(binaries.kubeApiserver, "utf8")).toBe("built\n");
  expect(binaries.etcd).toContain("kubernetes-v1.36.3-etcd-v3.7.2");
  expect(steps[1]).toBe("building kube-apiserver v1.36.3; this is needed once");
  expect(await clusterBinaries(progress, cache)).toEqual(binaries);
  expect(builds()).toBe(4);
  expect(steps).toHaveLength(4);
});

test("two at once: both get whole programs, and nothing else is left", async () => {
  pretendGo();
  const [one, two] = await Promise.all([clusterBinaries(undefined, cache), clusterBinaries(undefined, cache)]);
  expect(one).toEqual(two);
  for (const path of Object.values(one)) expect(readFileSync(path, "utf8")).toBe("built\n");
  expect(readdirSync(cache)).toHaveLength(1);
});

test("a build that fails says why, and leaves nothing behind", async () => {
  pretendGo(`[ "$1" = build ] || exit 0; echo "the disk is full" >&2; exit 1`);
  await expect(clusterBinaries(undefined, cache)).rejects.toThrow("the disk is full");
  expect(readdirSync(cache)).toEqual([]);
});

test("what an interrupted build left is removed by the next", async () => {
  pretendGo();
  mkdirSync(join(cache, ".building-2147483646-x"), { recursive: true });
  mkdirSync(join(cache, `.building-${process.pid}-x`));
  await clusterBinaries(undefined, cache);
  expect(readdirSync(cache).filter((name) => name.startsWith(".building"))).toEqual([`.building-${process.pid}-x`]);
});

test("without Go it says what is missing and what to do instead", async () => {
  vi.stubEnv("PATH", join(folder, "empty"));
  const failure = clusterBinaries(undefined, cache);
  await expect(failure).rejects.toBeInstanceOf(GoMissingError);
  await expect(failure).rejects.toThrow(/no "go" in PATH[\s\S]*npm run test:cluster -- --kubeconfig PATH/);
});

test("the cache is where the environment says", () => {
  expect(cacheDirectory({ KUBE_INFORMERS_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a/cluster");
  expect(cacheDirectory({ XDG_CACHE_HOME: "/b" })).toBe("/b/kube-informers/cluster");
  expect(cacheDirectory({})).toMatch(/\.cache\/kube-informers\/cluster$/);
});

test("--kubeconfig is taken out of vitest's arguments", () => {
  expect(parseArguments(["-t", "watch", "--kubeconfig", "a"])).toEqual({ kubeConfig: "a", rest: ["-t", "watch"] });
  expect(parseArguments(["--kubeconfig=a", "--bail"])).toEqual({ kubeConfig: "a", rest: ["--bail"] });
  expect(parseArguments(["--bail"])).toEqual({ rest: ["--bail"] });
  expect(() => parseArguments(["--kubeconfig"])).toThrow("needs the path");
});
