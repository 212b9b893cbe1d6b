/** `kube-informers rbac`: the roles that a program's informers need, of its factories or of its sources. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { rolesOf } from "../runtime/informers/roles.js";
import { GeneratorError } from "./errors.js";
import { informersInUse } from "./informers-in-use.js";
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
  if (roles.length > 0) return manifest(roles);
  throw new GeneratorError(
    "usage",
    factories.length === 0 ? `${module} exports no factory` : `no informer of ${module} is asked for`,
    { hint: "export the factory from a module that asks it for its informers, and does not start it" },
  );
}

/**
 * The same of sources, of which nothing is run.
 * @param warn told of what they do not say: a resource that is chosen as the program runs has no rule
 * @throws GeneratorError as {@link informersInUse}; `usage` when no informer is asked for
 */
export async function rolesOfSources(path: string, name: string, warn: (text: string) => void): Promise<string> {
  const { followed, unread } = await informersInUse(path);
  for (const problem of unread) warn(problem);
  if (followed.length > 0) return manifest(rolesOf(followed, name));
  throw new GeneratorError("usage", `no informer is asked for in ${path}`, {
    hint: "give the folder of the program's own sources",
  });
}

async function manifest(roles: readonly object[]): Promise<string> {
  const { stringify } = await importTool("yaml", () => import("yaml"));
  return roles.map((role) => `---\n${stringify(role, { aliasDuplicateObjects: false })}`).join("");
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
