/** The generator's tools are optional dependencies, so that a runtime in production does without them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GeneratorError } from "../errors.js";
import { packageRoot } from "../package-root.js";

/** Imports a tool, and says plainly when it was not installed, or is one for another Node. */
export async function importTool<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const install = `npm install --save-dev ${name}@${versionOf(name)}`;
    if ((cause as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND")
      throw new GeneratorError("usage", `the generator needs the package ${name}, which is not installed`, {
        cause,
        hint: `${install} (or install without --omit=optional)`,
      });
    throw new GeneratorError(
      "usage",
      `the package ${name} does not load on Node ${process.version}: ${String(cause)}`,
      {
        cause,
        hint: `${install} is the version that is tested, or use a newer Node`,
      },
    );
  }
}

/** The version that this package is tested with: newer ones may not run on the same Node, or not at all. */
function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    [kind: string]: { [name: string]: string } | undefined;
  };
  return manifest["optionalDependencies"]?.[name] ?? manifest["devDependencies"]?.[name] ?? "latest";
}
