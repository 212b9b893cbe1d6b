/** The generator's tools are optional dependencies, so that a runtime in production does without them. */
import { GeneratorError } from "../errors.js";

/** Imports a tool, and says plainly when it was not installed. */
export async function importTool<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new GeneratorError("usage", `the generator needs the package ${name}, which is not installed`, {
      cause,
      hint: `npm install --save-dev ${name} (or install without --omit=optional)`,
    });
  }
}
