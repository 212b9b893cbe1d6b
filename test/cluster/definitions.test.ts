/**
 * The generator and a real API server judge the same definitions: what the server takes is taken, what it refuses is refused.
 * Each of two thousand definitions has one edit, decided by its seed, and is given to both; the server is asked to try only.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isGeneratorError } from "../../generator/errors.js";
import { loadCrds } from "../../generator/load/crd.js";
import { readYaml } from "../../generator/load/yaml.js";
import { asSchema, type Schema } from "../../generator/model.js";
import { projectRoot } from "../../scripts/support/command.js";
import { expressions } from "../support/cel-expressions.js";
import { edited } from "./support/edits/index.js";
import { client } from "./support/harness.js";

const tries = 2000;
const atOnce = 6;

/** Where the two differ on purpose. */
const differences: readonly {
  readonly refusedBy: "server" | "generator";
  readonly message: RegExp;
  readonly why: string;
}[] = [
  { refusedBy: "generator", message: /^no version is served$/, why: "there is nothing to generate" },
  {
    refusedBy: "generator",
    message: /^a CustomResourceDefinition cannot use dependencies$/,
    why: "whether a server takes an empty one depends on how many versions share the schema",
  },
  {
    refusedBy: "server",
    message: /schema\.openAPIV3Schema: Required value$/,
    why: "a version without a schema is an envelope with free content, and the generator says so",
  },
  {
    refusedBy: "server",
    message: /compilation failed: |cel expression must evaluate to a bool|rule cost|must evaluate to (?:a )?string/,
    why: "the names, types and costs of CEL are a server's to know",
  },
  {
    refusedBy: "server",
    message: /\.default[^ ]*: Invalid value: (?:[a-z]+ )?(?:must|the|self)\b/,
    why: "so are the rules that a default breaks",
  },
];

test("the same verdict on every edit of a definition", async (context) => {
  const bases = (await definitions()).filter((definition) => JSON.stringify(definition).length < 60_000);
  expect(bases.length).toBeGreaterThan(50);
  for (const base of bases) expect([nameOf(base), await verdicts(base)]).toEqual([nameOf(base), {}]);

  const counts = { agreed: 0, taken: 0, named: 0 };
  const unexplained: string[] = [];
  const seeds = Array.from({ length: tries }, (_, seed) => seed).values();
  const worker = async () => {
    for (const seed of seeds) {
      const { definition, what } = edited(bases[seed % bases.length], seed);
      const { server, generator } = await verdicts(definition);
      if ((server === undefined) === (generator === undefined)) {
        counts.agreed += 1;
        if (server === undefined) counts.taken += 1;
        continue;
      }
      const [refusedBy, message] = server === undefined ? ["generator", generator!] : ["server", server];
      const named = differences.some((known) => known.refusedBy === refusedBy && known.message.test(message));
      if (named) counts.named += 1;
      else
        unexplained.push(
          `edit ${seed}: ${what.slice(0, 300)}\n  refused by the ${refusedBy} alone: ${message.slice(0, 500)}`,
        );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await context.annotate(
    `${tries} edits tried: both agree on ${counts.agreed}, of which ${counts.taken} are taken; ${counts.named} differ as named`,
  );
  expect(unexplained).toEqual([]);
  expect(counts.agreed).toBeGreaterThan(tries * 0.97);
  expect(counts.taken).toBeGreaterThan(tries / 4);
});

/** Every rule is asked for on its own: of several, the server tells the first problem alone. */
test("the same verdict on the syntax of a rule", async () => {
  const reads = async (rule: string) => !(await serverVerdict(ruled(rule)))?.includes("Syntax error");
  for (const rule of expressions.read) expect([rule, await reads(rule)]).toEqual([rule, true]);
  for (const rule of expressions.unread) expect([rule, await reads(rule)]).toEqual([rule, false]);
});

function ruled(rule: string): object {
  const openAPIV3Schema = { type: "object", "x-kubernetes-validations": [{ rule, message: "no" }] };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "ruleds.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "ruleds", kind: "Ruled" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

interface Verdicts {
  /** Why it was refused; undefined where it was taken. */
  readonly server?: string;
  readonly generator?: string;
}

async function verdicts(definition: unknown): Promise<Verdicts> {
  const [server, generator] = await Promise.all([serverVerdict(definition), generatorVerdict(definition)]);
  return { ...(server === undefined ? {} : { server }), ...(generator === undefined ? {} : { generator }) };
}

function serverVerdict(definition: unknown): Promise<string | undefined> {
  return client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", definition as object).then(
    () => undefined,
    (error: Error) => {
      const answer = /: \d+ (\{.*)$/s.exec(error.message)?.[1];
      // There are schemas at which a server's code panics, and hangs up.
      return answer === undefined ? error.message : (JSON.parse(answer) as { message: string }).message.trim();
    },
  );
}

async function generatorVerdict(definition: unknown): Promise<string | undefined> {
  try {
    const text = JSON.stringify(definition);
    await loadCrds([{ file: "edited.json", text: () => text }], () => {});
    return undefined;
  } catch (error) {
    if (isGeneratorError(error) && error.code === "input") return error.message;
    throw error;
  }
}

/** Our own definitions, one of each class that is known from the field. */
async function definitions(): Promise<Schema[]> {
  const folder = join(projectRoot, "test/generator/fixtures");
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".yaml"));
  const files = await Promise.all(paths.map((path) => readYaml(() => readFileSync(join(folder, path), "utf8"), path)));
  return files
    .flatMap(({ documents }) => documents)
    .map(({ value }) => asSchema(value) ?? {})
    .flatMap((object) => (Array.isArray(object["items"]) ? (object["items"] as Schema[]) : [object]))
    .filter((object) => object["apiVersion"] === "apiextensions.k8s.io/v1");
}

function nameOf(definition: Schema): unknown {
  return asSchema(definition["metadata"])?.["name"];
}
