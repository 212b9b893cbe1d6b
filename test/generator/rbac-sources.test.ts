// `kube-informers rbac --for`: what sources say of the informers in use, and what they do not say.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { run } from "../../generator/cli.js";
import { crd, generate, projectRoot, readTree, source, temporaryFolder } from "./support/project.js";

/** A program's folder whose compiler finds the package's names in this checkout. */
function program(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  source(folder, "tsconfig.json", { extends: join(projectRoot, "tsconfig.json") });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const IMPORTS = `import { DynamicSharedInformerFactory, InformerFactory, metadataOnly, NamespaceSet, SharedInformerFactory } from "kube-informers";
import { nodes, pods } from "kube-informers/core/v1";
declare const kubeConfig: any;
`;

/** Runs the command, and gives each role's resources by where they hold: `*` for everywhere. */
async function rbac(path: string) {
  let [out, err] = ["", ""];
  const terminal = { out: (text: string) => (out += text), err: (text: string) => (err += text), columns: 0 };
  const code = await run(["rbac", "--for", path], terminal);
  const roles: Record<string, string> = {};
  for (const document of parseAllDocuments(out)) {
    const { metadata, rules } = document.toJS() as {
      metadata: { namespace?: string };
      rules: { apiGroups: string[]; resources: string[] }[];
    };
    roles[metadata.namespace ?? "*"] = rules
      .flatMap(({ apiGroups: [group], resources }) =>
        resources.map((resource) => `${resource}${group === "" ? "" : `.${group}`}`),
      )
      .join(" ");
  }
  return { code, err, roles };
}

/** The same of one file. */
const rolesOf = async (text: string) => await rbac(program({ "main.ts": IMPORTS + text }));

describe("kube-informers rbac --for", () => {
  test.each<[string, string, Record<string, string>]>([
    [
      "generated accessors, however many names are between",
      `const factory = new SharedInformerFactory(kubeConfig);
       const core = factory.core().v1();
       const services = core.services();
       services.lister();
       export const watch = (own: SharedInformerFactory) => own.apps().v1().deployments().acquire();`,
      { "*": "services deployments.apps" },
    ],
    [
      "a resource by name, by descriptor, and for its metadata alone",
      `const factory = new DynamicSharedInformerFactory(kubeConfig);
       const group = "stable.example.com";
       const CRONTABS = { group, version: "v1", resource: "crontabs" } as const;
       factory.forResource(CRONTABS).informer();
       factory.forResource({ ...CRONTABS, resource: "lamps" }).informer();
       factory.forResource(pods).informer();
       factory.informerFor(nodes);
       factory.forResource(metadataOnly({ group: "", version: "v1", resource: "secrets" })).lister();`,
      { "*": "nodes pods secrets crontabs.stable.example.com lamps.stable.example.com" },
    ],
    [
      "the namespace of a factory, which resources without namespaces do not have",
      `const namespace = "shop";
       const factory = new SharedInformerFactory(kubeConfig, { resyncPeriodMs: 5, namespace });
       factory.core().v1().pods().informer();
       factory.core().v1().nodes().informer();`,
      { "*": "nodes", shop: "pods" },
    ],
    [
      "a resource without namespaces by name alone, of a factory that was generated for it",
      `const factory = new SharedInformerFactory(kubeConfig, { namespace: "shop" });
       const group = "rbac.authorization.k8s.io";
       factory.forResource({ group, version: "v1", resource: "clusterroles" }).informer();
       factory.forResource({ group, version: "v1", resource: "roles" }).informer();
       factory.forResource(metadataOnly({ group: "", version: "v1", resource: "nodes" })).informer();`,
      { "*": "nodes clusterroles.rbac.authorization.k8s.io", shop: "roles.rbac.authorization.k8s.io" },
    ],
    [
      "lists of namespaces, of a factory and of one informer of it, wherever that is asked for",
      `const factory = new SharedInformerFactory(kubeConfig, { namespaces: new NamespaceSet(["a", "b"]) });
       const access = factory.core().v1().pods();
       access.informer({ namespaces: ["c"] });
       factory.core().v1().pods().lister();
       factory.core().v1().secrets().acquire({ labelSelector: "a=b" });
       factory.core().v1().services().informer({ namespaces: { except: ["d"] } });`,
      { "*": "services", a: "secrets", b: "secrets", c: "pods" },
    ],
    [
      "a factory over another, whose namespaces hold for both",
      `const factory = new SharedInformerFactory(kubeConfig, { namespace: "shop" });
       const other = new DynamicSharedInformerFactory(factory);
       other.forResource({ group: "g.example.com", version: "v1", resource: "widgets" }).informer();
       const third = new InformerFactory(kubeConfig, { namespace: "elsewhere" });
       third.informerFor(pods, { namespaces: ["here"] });`,
      { here: "pods", shop: "widgets.g.example.com" },
    ],
    [
      "fields of a class, and the only factory there is for one that comes from elsewhere",
      `class Controller {
         readonly #pods;
         constructor(private readonly factory: SharedInformerFactory) {
           this.#pods = factory.core().v1().pods();
           this.#pods.informer();
         }
         jobs = () => this.factory.batch().v1().jobs().informer();
       }
       new Controller(new SharedInformerFactory(kubeConfig, { namespace: "shop" })).jobs();`,
      { shop: "pods jobs.batch" },
    ],
  ])("reads %s", async (_, text, roles) => {
    expect(await rolesOf(text)).toEqual({ code: 0, err: "", roles });
  });

  test.each<[string, string, string, Record<string, string>]>([
    [
      "a resource that is chosen as the program runs",
      `const factory = new DynamicSharedInformerFactory(kubeConfig);
       factory.forResource(pods).informer();
       factory.forResource({ group: "", version: "v1", resource: process.argv[2]! }).informer();`,
      "main.ts:6:28: which resource is followed cannot be read: it gets no rule",
      { "*": "pods" },
    ],
    [
      "a namespace of the environment",
      `const factory = new SharedInformerFactory(kubeConfig, { namespace: process.env["NAMESPACE"] ?? "" });
       factory.core().v1().pods().informer();`,
      "main.ts:4:68: the namespaces cannot be read: the rule is for all of them",
      { "*": "pods" },
    ],
    [
      "options that come from elsewhere",
      `export function run(options: object) {
         const factory = new SharedInformerFactory(kubeConfig, { namespace: "shop" });
         factory.core().v1().pods().informer({ ...options });
       }`,
      "main.ts:6:46: the namespaces cannot be read: the rule is for all of them",
      { "*": "pods" },
    ],
    [
      "which of two factories a function is given",
      `new SharedInformerFactory(kubeConfig, { namespace: "a" });
       new SharedInformerFactory(kubeConfig, { namespace: "b" });
       export const run = (factory: SharedInformerFactory) => factory.core().v1().pods().informer();`,
      "main.ts:6:63: which factory this is cannot be read: the rule is for all namespaces",
      { "*": "pods" },
    ],
    [
      "namespaces that are given to who knows which resource",
      `const factory = new SharedInformerFactory(kubeConfig, { namespace: "a" });
       const run = (some: ReturnType<typeof access>) => some.informer({ namespaces: ["b"] });
       const access = () => factory.core().v1().pods();
       run(access());`,
      "main.ts:5:62: which resource these namespaces are of cannot be read: they are left out",
      { a: "pods" },
    ],
    [
      "a package that is not installed",
      `import { WidgetFactory } from "widgets-sdk";
       new WidgetFactory(kubeConfig).example().v1().widgets().informer();
       new SharedInformerFactory(kubeConfig).core().v1().pods().informer();`,
      "main.ts:5:63: what informer() is called on cannot be read: install what the sources import",
      { "*": "pods" },
    ],
  ])("warns of %s, and says where", async (_, text, warning, roles) => {
    const { code, err, roles: printed } = await rolesOf(text);
    expect({ code, printed }).toEqual({ code: 0, printed: roles });
    expect(err).toMatch(/^warning: [^\n]*\n$/);
    expect(err).toContain(warning);
  });

  test("reads a folder: JavaScript, code generated there, and neither tests nor what is installed", async () => {
    const watch = (resource: string) =>
      `import { InformerFactory } from "kube-informers";
       new InformerFactory(/** @type {any} */ (undefined)).forResource({ group: "", version: "v1", resource: "${resource}" }).informer();`;
    const folder = program({
      "src/main.mjs": watch("pods"),
      "src/deep/more.ts": `import { SharedInformerFactory } from "../generated/factory.js";
        new SharedInformerFactory({} as any).exampleCom().v1().widgets().informer();`,
      "src/deep/main.test.ts": watch("secrets"),
      "src/__tests__/a.ts": watch("secrets"),
      "src/node_modules/a/index.js": watch("secrets"),
    });
    const definitions = source(folder, "crds.json", { kind: "List", items: [crd(), crd({ kind: "Gadget" })] });
    expect(await generate("--crd", definitions, "--out", join(folder, "src/generated"))).toMatchObject({ code: 0 });
    expect(await rbac(join(folder, "src"))).toEqual({ code: 0, err: "", roles: { "*": "pods widgets.example.com" } });
  });

  test.each(["as its files", "bundled"])(
    "reads a package of generated code, compiled and published %s",
    async (how) => {
      const folder = program({
        "src/main.ts": `import { SharedInformerFactory } from "../node_modules/sdk/factory.js";
        import { gadgets } from "../node_modules/sdk/example.com/v1/index.js";
        const factory = new SharedInformerFactory({} as any, { namespace: "shop" });
        factory.exampleCom().v1().widgets().informer();
        factory.informerFor(gadgets);
        factory.forResource({ group: "example.com", version: "v1", resource: "gizmos" }).informer();`,
      });
      const sources = join(folder, "sources");
      const definitions = source(folder, "crds.json", {
        kind: "List",
        items: [crd(), crd({ kind: "Gadget", scope: "Cluster" }), crd({ kind: "Gizmo", scope: "Cluster" })],
      });
      await generate("--crd", definitions, "--out", sources);
      const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
      for (const [path, text] of Object.entries(readTree(sources))) {
        const published = join(folder, "node_modules/sdk", path.replace(/\.ts$/, ""));
        mkdirSync(dirname(published), { recursive: true });
        writeFileSync(`${published}.js`, ts.transpileModule(text, { compilerOptions: options }).outputText);
        writeFileSync(`${published}.d.ts`, ts.transpileDeclaration(text, { compilerOptions: options }).outputText);
      }
      if (how === "bundled") {
        const version = join(folder, "node_modules/sdk/example.com/v1");
        const index = join(version, "index.js");
        buildSync({ entryPoints: [index], bundle: true, format: "esm", outfile: index, allowOverwrite: true });
        for (const name of ["widget", "gadget", "gizmo"]) writeFileSync(join(version, `${name}.js`), "");
      }
      const roles = { "*": "gadgets.example.com gizmos.example.com", shop: "widgets.example.com" };
      expect(await rbac(join(folder, "src"))).toEqual({ code: 0, err: "", roles });
    },
  );

  test.each<[string, string[], number, string]>([
    ["neither a module nor --for", [], 2, "either a module or --for"],
    ["both", ["a.js", "--for", "src"], 2, "either a module or --for"],
    ["a folder that is not there", ["--for", "/nowhere"], 2, "no file and no folder /nowhere"],
    ["a folder without sources", ["--for", join(projectRoot, "templates")], 2, "no TypeScript and no JavaScript"],
    ["sources without informers", ["--for", join(projectRoot, "scripts/support")], 2, "no informer is asked for"],
  ])("%s is a mistake that is told of", async (_, args, code, message) => {
    let err = "";
    const terminal = { out: () => {}, err: (text: string) => (err += text), columns: 0 };
    expect(await run(["rbac", ...args], terminal)).toBe(code);
    expect(err).toContain(message);
  });

  test("so is a link to itself", async () => {
    const loop = join(temporaryFolder(), "loop");
    symlinkSync(loop, loop);
    expect(await rbac(loop)).toMatchObject({ code: 3, err: expect.stringContaining("loop cannot be read: ELOOP") });
  });

  test("so is a tsconfig.json that is none", async () => {
    const folder = program({ "main.ts": "export {};", "tsconfig.json": "{ nothing" });
    expect(await rbac(folder)).toMatchObject({ code: 3, err: expect.stringContaining("tsconfig.json") });
  });
});
