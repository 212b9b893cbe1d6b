// The options around a run: what is selected, what a configuration holds, what is shown before it is written.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { run } from "../../generator/cli.js";
import { closest } from "../../generator/closest.js";
import { unifiedDiff } from "../../generator/diff.js";
import { GeneratorError, generate as generateFiles, isGeneratorError } from "../../generator/index.js";
import { crd, generate, readTree, source, temporaryFolder, version } from "./support/project.js";

const zoo = {
  kind: "List",
  items: [
    crd({ versions: [version("v1", {}), version("v1alpha1", {}, { storage: false })] }),
    crd({ kind: "Gadget" }),
    crd({ group: "other.example.org", kind: "Widget" }),
  ],
};

describe("--include and --exclude", () => {
  const resources = async (...args: string[]) => {
    const folder = temporaryFolder();
    const path = source(folder, "a.json", zoo);
    const { code, out, err } = await generate(
      "--crd",
      path,
      ...args,
      "--dry-run",
      "--json",
      "--out",
      join(folder, "out"),
    );
    return code === 0 ? (JSON.parse(out) as { resources: string[] }).resources : `${code} ${err}`;
  };

  it.each<[string[], string[]]>([
    [
      ["--include", "example.com"],
      ["gadgets.v1.example.com", "widgets.v1.example.com", "widgets.v1alpha1.example.com"],
    ],
    [
      ["--include", "*/*/Wid*"],
      ["widgets.v1.example.com", "widgets.v1alpha1.example.com", "widgets.v1.other.example.org"],
    ],
    [["--include", "*/*/gadgets"], ["gadgets.v1.example.com"]],
    [
      ["--exclude", "*/v1alpha*", "--exclude", "*.org"],
      ["gadgets.v1.example.com", "widgets.v1.example.com"],
    ],
    [["--include", "example.com/v1", "--exclude", "*/*/Gadget"], ["widgets.v1.example.com"]],
  ])("%j", async (args, expected) => {
    expect(await resources(...args)).toEqual(expected);
  });

  it("say when nothing matches, and what was meant", async () => {
    expect(await resources("--include", "exampel.com")).toMatch(
      /^2 [\s\S]*matches nothing\nhint: .*did you mean example\.com\?/,
    );
    expect(await resources("--include", "example.com/v1/Widgte")).toMatch(/did you mean Widget\?/);
    expect(await resources("--include", "a/b/c/d")).toMatch(/is no pattern\nhint: /);
    expect(await resources("--exclude", "*")).toMatch(/nothing is left to generate/);
  });
});

describe("a configuration", () => {
  it("holds what the arguments leave out, with paths relative to itself", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "crds"));
    source(join(folder, "crds"), "a.json", zoo);
    const config = source(folder, "c.yaml", "crd: crds\nout: made\nexclude: ['*/v1alpha*']\n");
    expect(await generate("--config", config)).toMatchObject({ code: 0 });
    expect(Object.keys(readTree(join(folder, "made")))).toContain("example.com/v1/widget.ts");
    expect(Object.keys(readTree(join(folder, "made")))).not.toContain("example.com/v1alpha1/widget.ts");
    const other = source(folder, "b.json", crd({ kind: "Doodad" }));
    expect(await generate("--config", config, "--crd", other, "--out", join(folder, "o"))).toMatchObject({
      out: expect.stringContaining("1 group, 1 resource"),
    });
  });

  it.each([
    ["crds: a.yaml", 'c.yaml:1:1: error: "crds" is not known', "did you mean crd?"],
    ["out: [a]", "error: out is", "expected a text"],
    ["allowExec: true", '"allowExec" is not known', "expected crd"],
    ["- a", "a configuration is one map", "expected crd"],
    ["out: !!js/function 'x'", "not YAML: Unresolved tag", "expected"],
  ])("that says %s is refused", async (text, error, hint) => {
    const folder = temporaryFolder();
    const { code, err } = await generate("--config", source(folder, "c.yaml", text));
    expect([2, 3]).toContain(code);
    expect(err).toContain(error);
    expect(err).toContain(hint);
  });

  it("that is named must be there", async () => {
    expect(await generate("--config", "/gone.yaml")).toMatchObject({
      code: 2,
      err: expect.stringContaining("does not exist"),
    });
  });
});

it("--diff shows what would change, and writes nothing", async () => {
  const folder = temporaryFolder();
  const out = join(folder, "out");
  await generate("--crd", source(folder, "a.json", crd()), "--out", out);
  const before = readTree(out);
  const changed = crd({
    versions: [version("v1", { spec: { type: "object", properties: { size: { type: "string" } } } })],
  });
  const { code, out: text } = await generate("--crd", source(folder, "a.json", changed), "--out", out, "--diff");
  expect(code).toBe(0);
  expect(text).toMatch(
    /--- a\/example\.com\/v1\/widget\.ts\n\+\+\+ b\/.*\n@@ -\d+,\d+ \+\d+,\d+ @@\n[\s\S]*- {2}size\?: number;\n\+ {2}size\?: string;\n/,
  );
  expect(text).toContain("nothing was written");
  expect(readTree(out)).toEqual(before);
});

it.runIf(spawnSync("patch", ["--version"]).status === 0)("a diff is one that patch understands", () => {
  const folder = temporaryFolder();
  const lines = Array.from({ length: 40 }, (_item, index) => `line ${index}`);
  const before = `${lines.join("\n")}\n`;
  const after = `first\n${lines.toSpliced(20, 2, "x").toSpliced(5, 1).join("\n")}\nlast\n`;
  writeFileSync(join(folder, "f"), before);
  const { status } = spawnSync("patch", ["-p1"], { cwd: folder, input: unifiedDiff("f", before, after) });
  expect(status).toBe(0);
  expect(readTree(folder)["f"]).toBe(after);
});

it("a diff of what is new, gone, or the same", () => {
  expect(unifiedDiff("f", undefined, "a\n")).toBe("--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n");
  expect(unifiedDiff("f", "a\n", undefined)).toBe("--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n");
  expect(unifiedDiff("f", "a\n", "a\n")).toBe("");
});

it("--watch generates again when a source changes, also after one that is refused", async () => {
  const folder = temporaryFolder();
  const path = source(folder, "a.json", crd());
  const end = new AbortController();
  let shown = "";
  const show = (text: string) => (shown += text);
  const args = ["generate", "--crd", path, "--out", join(folder, "out"), "--watch"];
  const ended = run(args, { out: show, err: show, columns: 0, signal: end.signal });
  await expect.poll(() => shown).toContain("7 new");
  source(folder, "a.json", "{");
  await expect.poll(() => shown).toContain("not YAML");
  source(folder, "a.json", crd({ kind: "Gadget" }));
  await expect.poll(() => shown).toContain("1 group, 1 resource");
  await expect.poll(() => Object.keys(readTree(join(folder, "out")))).toContain("example.com/v1/gadget.ts");
  end.abort();
  expect(await ended).toBe(0);
  expect(await generate("--openapi", "http://127.0.0.1:1/", "--watch")).toMatchObject({ code: 2 });
});

describe("completion", () => {
  const print = async (shell: string) => {
    let out = "";
    let err = "";
    const code = await run(["completion", shell], {
      out: (text) => (out += text),
      err: (text) => (err += text),
      columns: 0,
    });
    return { code, out, err };
  };

  const isThere = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;
  const linesOf = (shell: string, ...args: string[]) =>
    spawnSync(shell, args, { encoding: "utf8" }).stdout.trim().split("\n");

  it.each(["bash", "zsh", "fish"])("of %s names every option", async (shell) => {
    const { code, out } = await print(shell);
    expect(code).toBe(0);
    for (const word of ["crd", "include", "watch", "diff", "rbac", "for", "name"]) expect(out).toContain(word);
  });

  const asked: [string[], string[]][] = [
    [["c"], ["completion"]],
    [
      ["rbac", "--"],
      ["--for", "--name"],
    ],
    [
      ["rbac", "--name", "generate", "--"],
      ["--for", "--name"],
    ],
    [["generate", "--cr"], ["--crd"]],
    [
      ["completion", ""],
      ["bash", "fish", "zsh"],
    ],
    [["help", "r"], ["rbac"]],
    [["generate", "--context", ""], [""]],
  ];

  it.each(asked)("in bash of %j", async (words, expected) => {
    const { out } = await print("bash");
    const ask = `COMP_CWORD=$#; COMP_WORDS=(kube-informers "$@"); _kube_informers; printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(linesOf("bash", "-c", `${out}\n${ask}`, "", ...words).sort()).toEqual(expected);
  });

  it.runIf(isThere("fish")).each(asked)("in fish of %j", async (words, expected) => {
    const { out } = await print("fish");
    const found = linesOf("fish", "--no-config", "-c", `${out}\ncomplete -C 'kube-informers ${words.join(" ")}'`);
    expect(found.map((line) => line.split("\t")[0])).toEqual(expected);
  });

  it.runIf(isThere("zsh"))("in zsh is what _arguments understands", async () => {
    const { out } = await print("zsh");
    const ask = (...words: string[]) => {
      const shell = '_arguments() { print -rl -- "$@" }; words=("$@"); CURRENT=$#';
      return linesOf("zsh", "-fc", `${shell}\n${out}`, "", "kube-informers", ...words);
    };
    expect(ask("completion", "")).toEqual(["1:word:(bash zsh fish)"]);
    expect(ask("rbac", "--")).toEqual([
      "1:file:_files",
      "*--for=[sources, a folder or a file: they are read, and not run]:value:_files",
      "*--name=[of each role]:value:",
    ]);
    const generate = ask("generate", "--");
    expect(generate).toContain("--cluster[everything that the current context's cluster serves]");
    expect(generate).toContain("*--include=[only GROUP\\[/VERSION\\[/KIND\\]\\], with * for any (repeatable)]:value:");
  });

  it("of another shell is refused", async () => {
    expect(await print("basch")).toMatchObject({ code: 2, err: expect.stringContaining("did you mean bash?") });
  });
});

it("colours are for terminals that want them", async () => {
  const shown = async (colors: boolean) => {
    let err = "";
    await run(["generate", "--crd", "/gone.yaml"], { out: () => {}, err: (text) => (err += text), columns: 0, colors });
    return err;
  };
  expect(await shown(true)).toContain("\u001b[31merror:\u001b[0m");
  expect(await shown(false)).not.toContain("\u001b");
});

describe("the function", () => {
  it("does what the command does, and prints nothing", async () => {
    const streams = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write"));
    const exit = vi.spyOn(process, "exit");
    onTestFinished(() => void vi.restoreAllMocks());
    const folder = temporaryFolder();
    const crds = [source(folder, "a.json", zoo)];
    const steps: string[] = [];
    const result = await generateFiles({
      crd: crds,
      out: join(folder, "out"),
      exclude: ["*/v1alpha*"],
      progress: { step: (text) => steps.push(text) },
    });
    expect(result.resources).toEqual([
      "gadgets.v1.example.com",
      "widgets.v1.example.com",
      "widgets.v1.other.example.org",
    ]);
    expect(result.plan.created).toContain("factory.ts");
    expect(steps).toContain("writing");
    const again = await generateFiles({ crd: crds, out: join(folder, "out"), exclude: ["*/v1alpha*"], write: false });
    expect(again.plan).toMatchObject({ created: [], changed: [], removed: [] });
    const partial = {
      crd: [...crds, source(folder, "bad.json", crd({ kind: "1x", plural: "xs" }))],
      allowPartial: true,
    };
    const { warnings } = await generateFiles({ ...partial, out: join(folder, "partial") });
    expect(warnings).toEqual([expect.stringContaining("left out: ")]);
    for (const stream of streams) expect(stream).not.toHaveBeenCalled();
    expect(exit).not.toHaveBeenCalled();
  });

  it("fails with an error that says where and what to do", async () => {
    const folder = temporaryFolder();
    const broken = source(folder, "a.json", crd({ kind: "1x", plural: "xs" }));
    const failure = generateFiles({ crd: [broken], out: join(folder, "out") });
    await expect(failure).rejects.toBeInstanceOf(GeneratorError);
    await expect(failure).rejects.toMatchObject({ code: "input", position: { line: 1 }, hint: expect.any(String) });
    await expect(failure).rejects.toSatisfy(isGeneratorError);
    await expect(generateFiles({ out: folder })).rejects.toMatchObject({ code: "usage" });
    await expect(generateFiles({ crd: ["/gone"], out: folder })).rejects.toMatchObject({ code: "input" });
    await expect(generateFiles({ cluster: { kubeconfig: "/gone" }, out: folder })).rejects.toMatchObject({
      code: "usage",
    });
    rmSync(broken);
  });
});

it.each([
  ["crds", "crd"],
  ["inclde", "include"],
  ["zzz", undefined],
])("%s is closest to %s", (word, known) => {
  expect(closest(word, ["crd", "openapi", "include", "exclude"])).toBe(known);
});
