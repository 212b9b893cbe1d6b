// The commands of docs/generator.md do what it says: each is run, one after the other in one folder, and prints what stands below
// it. After a change that is meant: UPDATE_DOCUMENTS=1 npx vitest run test/generator/documents
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EmbeddedApiServer } from "kube-informers/testing";
import { expect, it, onTestFinished, vi } from "vitest";
import { run } from "../../generator/cli.js";
import { crd, projectRoot, temporaryFolder, version } from "./support/project.js";

const document = join(projectRoot, "docs/generator.md");

interface Example {
  readonly command: string;
  /** From and to which line of the document its output stands. */
  readonly from: number;
  to: number;
}

const indent = "    ";
const prompt = `${indent}$ `;

/** What follows a prompt, up to the next one or the end of the block. */
function examplesOf(lines: readonly string[]): Example[] {
  const examples: Example[] = [];
  let open: Example | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith(prompt)) {
      open = { command: line.slice(prompt.length), from: index + 1, to: index + 1 };
      examples.push(open);
    } else if (open !== undefined && line.startsWith(indent)) open.to = index + 1;
    else if (line !== "") open = undefined;
  }
  return examples;
}

/** Words as a shell has them: quotes hold together what has spaces or stars. */
function words(command: string): string[] {
  return (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
}

/** The definition of the examples; what a document shows of it are its lines. */
const widget = (size: string) => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: { type: object, properties: { size: { type: ${size} } } }
`;

it("prints what docs/generator.md says", async () => {
  const folder = temporaryFolder();
  const home = process.cwd();
  await using server = await EmbeddedApiServer.start();
  onTestFinished(() => {
    process.chdir(home);
    vi.unstubAllEnvs();
  });
  process.chdir(folder);
  vi.stubEnv("KUBECONFIG", join(folder, "kubeconfig"));
  vi.stubEnv("KUBE_INFORMERS_CACHE", join(folder, "cache"));
  const config = server.kubeConfig();
  writeFileSync("kubeconfig", config.exportConfig().replaceAll(config.getCurrentCluster().name, "staging"));
  const login = {
    users: [{ name: "a", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "a" } } }],
  };
  const contexts = [{ name: "a", context: { cluster: "a", user: "a" } }];
  const clusters = [{ name: "a", cluster: { server: "https://127.0.0.1:1" } }];
  writeFileSync("somebody.kubeconfig", JSON.stringify({ ...login, contexts, clusters, "current-context": "a" }));
  writeFileSync("widget.yaml", widget("integer"));
  mkdirSync("crds");
  const alpha = version("v1alpha1", {}, { storage: false });
  writeFileSync("crds/gizmo.json", JSON.stringify(crd({ kind: "Gizmo", versions: [version("v1", {}), alpha] })));
  writeFileSync("crds/gadget.json", JSON.stringify(crd({ kind: "Gadget", group: "other.example.org" })));
  const openApi = await fetch(`${config.getCurrentCluster().server}/openapi/v3/apis/apps/v1`);
  writeFileSync("apps-v1.json", await openApi.text());

  const text = readFileSync(document, "utf8");
  const lines = text.split("\n");
  const [, configuration = ""] = /```yaml\n(crd: [^`]*)```/.exec(text) ?? [];
  /** What somebody does before a command. */
  const before: readonly (readonly [command: RegExp, does: () => void])[] = [
    [/broken.yaml/, () => writeFileSync("broken.yaml", widget("int"))],
    [/--diff/, () => writeFileSync("widget.yaml", widget("string"))],
    [/generate$/, () => writeFileSync("kube-informers.config.yaml", configuration)],
  ];
  const printed: string[][] = [];
  const examples = examplesOf(lines).filter(({ command }) => command.startsWith("kube-informers generate"));
  for (const { command } of examples) {
    for (const [pattern, does] of before) if (pattern.test(command)) does();
    let output = "";
    const print = (more: string) => {
      output += more;
    };
    // The signal ends what watches after the first time.
    await run(words(command).slice(1), { out: print, err: print, columns: 0, signal: AbortSignal.abort() });
    const shown = output
      .trimEnd()
      .replace(/\bin \d+\.\d\d s$/gm, "in 1.20 s")
      .replace(/"milliseconds": \d+/, '"milliseconds": 1200');
    printed.push(shown.split("\n").map((line) => (line.trim() === "" ? "" : indent + line)));
  }
  const updated = [...lines];
  for (const [index, { from, to }] of [...examples.entries()].reverse())
    updated.splice(from, to - from, ...printed[index]!);
  if (process.env["UPDATE_DOCUMENTS"] !== undefined) writeFileSync(document, updated.join("\n"));
  expect(updated).toEqual(lines);
}, 120_000);
