/** The package as it would be published, built from nothing. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.js";

/** Builds and packs into an empty folder, and gives the path of the package. */
export async function pack(folder: string): Promise<string> {
  for (const [command, ...args] of [
    ["npm", "run", "--silent", "build"],
    ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder],
  ] as const) {
    const { code, output } = await run(command, args);
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${output}`);
  }
  const [file] = readdirSync(folder);
  if (file === undefined) throw new Error("npm pack made nothing");
  return join(folder, file);
}
