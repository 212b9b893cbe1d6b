// What the generated code adds to an application's bundle, and what a bundler can leave out of it.
import { gzipSync } from "node:zlib";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../scripts/support/command.js";

/** A program as an application's bundler makes it, without the runtime, which is the same whatever is generated. */
async function bundle(program: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: projectRoot, loader: "ts" },
    external: ["kube-informers/codegen"],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "silent",
    ...options,
  });
  return outputFiles![0]!.text;
}

const gzipped = (text: string) => gzipSync(text, { level: 9 }).length;

const chain = 'export { SharedInformerFactory } from "./generated/factory.js"';

/** Leaves of each descriptor what an informer needs: what to ask for, and where. */
const addressesAlone: Plugin = {
  name: "addresses alone",
  setup({ onLoad }) {
    onLoad({ filter: /generated\/[^/]+\/v\w+\/[\w-]+\.ts$/ }, async ({ path }) => {
      if (/\/(?:index|types)\.ts$/.test(path)) return undefined;
      const exported = Object.entries((await import(path)) as Record<string, Record<string, unknown>>);
      const needed = exported.map(([name, { group, version, resource, kind, scope }]) => {
        return `export const ${name} = ${JSON.stringify({ group, version, resource, kind, scope })};`;
      });
      return { contents: needed.join("\n"), loader: "js" };
    });
  },
};

describe("every built-in resource at every version, gzipped, beyond the runtime", () => {
  it("is 3 kB at most: accessors, and of each resource what its informer needs", async () => {
    expect(gzipped(await bundle(chain, { plugins: [addressesAlone] }))).toBeLessThanOrEqual(3_000);
  });

  it("is 4 kB at most with all that descriptors say: other names, categories, subresources, selectable fields", async () => {
    expect(gzipped(await bundle(chain))).toBeLessThanOrEqual(4_000);
  });
});

// With annotations ignored `"sideEffects": false` does not help: the code itself has to be free of effects.
describe.each([{ ignoreAnnotations: false }, { ignoreAnnotations: true }])("a bundler with %j", (options) => {
  it("keeps nothing of an import that is not used", async () => {
    const text = await bundle('import { pods } from "./generated/core/v1/index.js"; console.log(1)', options);
    expect(text).toBe("console.log(1);\n");
  });

  it("keeps one descriptor of the one that is used, and no accessor", async () => {
    const text = await bundle('import { pods } from "./generated/core/v1/index.js"; console.log(pods)', options);
    expect(text).toMatch(/^var (\w+)=\{group:"",version:"v1",resource:"pods",[^;]*\};console\.log\(\1\);\n$/);
    expect(text.match(/resource:/g)).toHaveLength(1);
  });

  it("keeps one version of one group of accessors that are used", async () => {
    const program = 'import { AppsV1Informers } from "./generated/apps/v1/index.js"; console.log(AppsV1Informers)';
    const groups = new Set((await bundle(program, options)).match(/group:"[^"]*",version:"[^"]*"/g));
    expect([...groups]).toEqual(['group:"apps",version:"v1"']);
  });
});
