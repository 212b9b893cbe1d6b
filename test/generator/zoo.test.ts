// Definitions as their projects publish them, where a copy lies beside the repository.
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { compile, generate, projectRoot, readTree, temporaryFolder } from "./support/project.js";

const zoo = join(projectRoot, "../shared/crds");
const files = existsSync(zoo)
  ? readdirSync(zoo, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".yaml"))
      .sort()
  : [];

describe.skipIf(files.length === 0)("definitions of other projects", () => {
  it.each(files)("%s", async (file) => {
    const folder = temporaryFolder();
    expect(await generate("--crd", join(zoo, file), "--out", join(folder, "generated"))).toMatchObject({ code: 0 });
  });

  it("all together compile in a strict project, and are used", async () => {
    const folder = temporaryFolder();
    const { code, out } = await generate("--crd", zoo, "--out", join(folder, "generated"));
    expect(code).toBe(0);
    expect(out).toContain("6 groups, 15 resources");
    const consumer = `
import { SharedInformerFactory } from "./generated/factory.js";
import type { Function } from "./generated/pkg.crossplane.io/v1/index.js";
declare const source: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(source);
export const issuer: string | undefined = factory.certManagerIo().v1().certificates().lister().namespace("a").get("b")?.spec?.issuerRef.name;
export const mode: "head" | "HEAD" | "Tag" | "TagAndHEAD" | undefined = factory.sourceToolkitFluxcdIo().v1().gitRepositories().lister().namespace("a").get("b")?.spec?.verify?.mode;
export const pool = factory.karpenterSh().v1().nodePools().lister().get("default");
export const made: Function = { spec: { package: "x" } };
`;
    expect(compile(folder, consumer)).toEqual([]);
    for (const [path, text] of Object.entries(readTree(join(folder, "generated")))) {
      expect(relative(folder, path)).not.toContain(" ");
      expect(text).not.toContain(projectRoot);
    }
  });
});
