/** The generator's tools are optional dependencies, so that a runtime in production does without them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GeneratorError } from "../errors.js";
import { packageRoot } from "../package-root.js";

/** Imports a tool, and says plainly when it was not installed. */
export async function importTool<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new GeneratorError("usage", `the generator needs the package ${name}, which is not installed`, {
      cause,
      hint: `npm install --save-dev ${name}@${versionOf(name)} (or install without --omit=optional)`,
    });
  }
}

/** The version that this package is tested with: newer ones may not run on the same Node, or not at all. */
function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    [kind: string]: { [name: string]: string } | undefined;
  };
  return manifest["optionalDependencies"]?.[name] ?? manifest["devDependencies"]?.[name] ?? "latest";
}
