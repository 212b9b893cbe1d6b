// The command as a process: standard input, the folder one stands in, an interrupt, and how fast help comes.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { run } from "../../generator/cli.js";
import { crd, generate, projectRoot, source, temporaryFolder, version } from "./support/project.js";

function start(args: readonly string[], cwd: string) {
  const child = spawn(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), join(projectRoot, "generator/cli.ts"), ...args],
    { cwd },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (texts.out += chunk));
  child.stderr.on("data", (chunk) => (texts.err += chunk));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, texts, ended };
}

describe("the process", () => {
  it("reads a definition from standard input and writes into ./generated", async () => {
    const cwd = temporaryFolder();
    const { child, texts, ended } = start(["generate", "--crd", "-"], cwd);
    child.stdin.end(JSON.stringify(crd()));
    expect(await ended).toBe(0);
    expect(texts.out).toMatch(
      /^1 group, 1 resource, 2 types → generated\n7 files: 7 new, 0 changed, 0 unchanged, 0 removed, in \d+\.\d\d s\nuse it: new SharedInformerFactory\(kubeConfig\)\.exampleCom\(\)\.v1\(\)\.widgets\(\), from generated\/factory\.js\n$/,
    );
    // No terminal: a log has no use for the steps of a run that went well.
    expect(texts.err).toBe("");
    expect(readdirSync(join(cwd, "generated"))).toContain("factory.ts");
  });

  it("G22: ends with 130 at Ctrl-C, and nothing was written", async () => {
    const cwd = temporaryFolder();
    const server = createServer(() => child.kill("SIGINT"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi/v3`;
    const { child, ended } = start(["generate", "--openapi", url], cwd);
    expect(await ended).toBe(130);
    expect(existsSync(join(cwd, "generated"))).toBe(false);
  });
});

it("shows one live line on a terminal, and clears it", async () => {
  const folder = temporaryFolder();
  let err = "";
  const terminal = {
    out: () => {},
    err: (text: string) => {
      err += text;
    },
    columns: 12,
  };
  const input = source(
    folder,
    "input.json",
    crd({ versions: [version("v1", {}), version("v2", {}, { served: false })] }),
  );
  expect(await run(["generate", "--crd", input, "--out", join(folder, "out")], terminal)).toBe(0);
  const shown = err.split("\r\u001b[2K");
  expect(shown).toContain("discovering");
  expect(shown.filter((text) => text.includes("\n"))).toEqual([
    expect.stringMatching(/^warning: .* is not served: skipped\n$/),
  ]);
  expect(shown.at(-1)).toBe("");
});

it("shows foreign text without its power over a terminal", async () => {
  const folder = temporaryFolder();
  const definition = crd({ kind: "Evil\u001b[2J\u009b1m\u202e", plural: "evils" });
  const { code, err } = await generate(
    "--crd",
    source(folder, "a\u001b[31m.json", definition),
    "--out",
    join(folder, "out"),
  );
  expect(code).toBe(3);
  expect(err).toContain("a\\u{1b}[31m.json:1:");
  expect(err.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

describe("the arguments", () => {
  it.each<[args: string[], code: number, message: string]>([
    [["--bogus"], 2, "unknown option '--bogus'"],
    [["--crd"], 2, "argument missing"],
    [["--context", "x"], 2, "belong to --cluster"],
    [["extra.yaml"], 2, "a source needs its option: --crd extra.yaml"],
    [["https://host/openapi/v2"], 2, "a source needs its option: --openapi https://host/openapi/v2"],
    [["--crd", "https://host/a.yaml"], 3, "hint: curl -sSfL https://host/a.yaml | kube-informers generate --crd -"],
  ])("%j are refused with %d", async (args, code, message) => {
    expect(await generate(...args)).toMatchObject({ code, err: expect.stringContaining(message) });
  });

  it("that ask for help get it", async () => {
    const { code, out } = await generate("--help");
    expect(code).toBe(0);
    for (const option of ["--crd", "--openapi", "--cluster", "--out", "--check", "--dry-run", "--json"])
      expect(out).toContain(option);
  });
});
