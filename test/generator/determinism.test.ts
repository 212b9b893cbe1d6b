// The same API gives the same bytes, however its source is written down.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { discover } from "../../generator/discover.js";
import { keep, readKept } from "../../generator/load/kept.js";
import { keptSchemaFile } from "../../generator/load/sources.js";
import { compile, crd, generate, projectRoot, readTree, source, temporaryFolder } from "./support/project.js";

/** The same value with the keys of every object in another order. */
function permuted(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => permuted(item, random));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => ({ key, item: permuted(item, random), order: random() }));
  return Object.fromEntries(entries.sort((a, b) => a.order - b.order).map(({ key, item }) => [key, item]));
}

describe("the output", () => {
  it("G21: does not depend on the order of keys, nor on the order of files", async () => {
    const text = readFileSync(join(projectRoot, "test/generator/fixtures/nasty.crd.yaml"), "utf8");
    const [list] = parseAllDocuments(text).map((document) => document.toJS() as { items: object[] });
    const want = readTree(join(projectRoot, "test/generator/golden/nasty"));
    const property = fc.asyncProperty(
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async (numbers) => {
        const random = () => numbers.next().value;
        const folder = temporaryFolder();
        const items = list!.items.map((item) => ({ item, order: random() })).sort((a, b) => a.order - b.order);
        const input = source(
          folder,
          "input.json",
          permuted({ kind: "List", items: items.map(({ item }) => item) }, random),
        );
        await generate("--crd", input, "--out", join(folder, "out"));
        expect(readTree(join(folder, "out"))).toEqual(want);
      },
    );
    await fc.assert(property, { numRuns: 5 });
  });

  it("does not depend on the language of the user", async () => {
    const before = process.env["LC_ALL"];
    process.env["LC_ALL"] = "tr_TR.UTF-8";
    try {
      const folder = temporaryFolder();
      await generate("--crd", join(projectRoot, "examples/crontab.crd.yaml"), "--out", folder);
      expect(readTree(folder)).toEqual(readTree(join(projectRoot, "examples/generated")));
    } finally {
      if (before === undefined) delete process.env["LC_ALL"];
      else process.env["LC_ALL"] = before;
    }
  });
});

describe("the built-in groups", () => {
  const documents = readKept(keptSchemaFile()!);

  it("are all API versions of Kubernetes 1.36, of which ComponentStatus alone cannot be watched", () => {
    const { groups } = discover(documents);
    const resources = groups.flatMap(({ versions }) => versions.flatMap((version) => version.resources));
    expect(groups).toHaveLength(20);
    expect(groups.map(({ name }) => name)).toContain("internal.apiserver.k8s.io");
    expect(resources).toHaveLength(82);
    expect(resources.filter(({ watchable }) => !watchable).map(({ kind }) => kind)).toEqual(["ComponentStatus"]);
  });

  it("are kept as the same bytes, and without descriptions", () => {
    expect(keep(discover(documents)).equals(readFileSync(keptSchemaFile()!))).toBe(true);
    expect(JSON.stringify(documents.map(({ schemas }) => [...schemas.values()]))).not.toContain('"description":"');
  });

  it("are what generated/ holds; there, a definition joins them, and a rebuild takes it away again", async () => {
    const folder = join(temporaryFolder(), "generated");
    const built = await generate("--out", folder);
    expect(built).toMatchObject({ code: 0, out: expect.stringContaining("20 groups, 81 resources") });
    const want = readTree(join(projectRoot, "generated"));
    expect(readTree(folder)).toEqual(want);

    await generate("--crd", join(projectRoot, "examples/crontab.crd.yaml"), "--out", folder);
    const joined = readTree(folder);
    expect(joined["factory.ts"]).toMatch(
      /core\(\): CoreInformers[\s\S]*stableExampleCom\(\): StableExampleComInformers/,
    );
    expect(joined["core/v1/types.ts"]).toBe(want["core/v1/types.ts"]);

    const inside = source(
      folder,
      "../inside.json",
      crd({ group: "storage.k8s.io", kind: "StorageClass2", plural: "storageclass2s" }),
    );
    await generate("--crd", inside, "--out", folder);
    const consumer =
      'export { type StorageClass, type StorageClass2Spec, storageClass2s } from "./storage/v1/index.js";\n';
    expect(compile(folder, consumer)).toEqual([]);
    for (const name of ["consumer.ts", "package.json"]) rmSync(join(folder, name));

    expect(await generate("--out", folder, "--check")).toMatchObject({ code: 7 });
    await generate("--out", folder);
    expect(readTree(folder)).toEqual(want);
  });
});
