/** `kube-informers rbac`: the roles that a program's informers need, from the factories that one of its modules exports. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { GeneratorError } from "./errors.js";
import { importTool } from "./load/tools.js";

/** What a factory of any copy of the runtime has. */
interface Factory {
  roles(name: string): readonly object[];
}

/**
 * As `kubectl apply` takes it. The module is run, and its factories are asked; nothing is started, and no cluster is needed.
 * @param name of each role; where several factories are exported, their names come after it
 * @throws GeneratorError `usage` when there is no such module, or no factory with informers in it
 */
export async function rolesOfModule(module: string, name: string): Promise<string> {
  const { stringify } = await importTool("yaml", () => import("yaml"));
  const path = resolve(module);
  if (!existsSync(path))
    throw new GeneratorError("usage", `there is no file ${module}`, {
      hint: "expected the path of a module that exports a factory",
    });
  const exported = Object.entries(await load(module, path))
    .filter((entry): entry is [string, Factory] => isFactory(entry[1]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // The same factory under two names, as by `export default`.
  const factories = [...new Map(exported.map(([label, factory]) => [factory, label]))];
  const roles = factories.flatMap(([factory, label]) =>
    factory.roles(factories.length === 1 ? name : `${name}-${label}`),
  );
  if (roles.length > 0)
    return roles.map((role) => `---\n${stringify(role, { aliasDuplicateObjects: false })}`).join("");
  throw new GeneratorError(
    "usage",
    factories.length === 0 ? `${module} exports no factory` : `no informer of ${module} is asked for`,
    { hint: "export the factory from a module that asks it for its informers, and does not start it" },
  );
}

async function load(module: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new GeneratorError("usage", `${module} cannot be run: ${String(cause)}`, {
      cause,
      hint: path.endsWith("ts")
        ? "give what is compiled from it, or use a Node that runs TypeScript"
        : "the module is imported for its factories: node must be able to import it",
    });
  }
}

function isFactory(value: unknown): value is Factory {
  return typeof value === "object" && value !== null && typeof (value as Partial<Factory>).roles === "function";
}
