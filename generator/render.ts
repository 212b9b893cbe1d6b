/** Views → text, by the templates beside the package. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importTool } from "./load/tools.js";
import { packageRoot } from "./package-root.js";
import type { FileView, TemplateName } from "./view.js";

export type Render = (file: FileView) => string;

const names: readonly TemplateName[] = ["factory", "generic", "group", "resource", "types", "version"];

export async function createRenderer(): Promise<Render> {
  const { default: Handlebars } = await importTool("handlebars", () => import("handlebars"));
  const engine = Handlebars.create();
  // Names that are missing throw; nothing is escaped as HTML, since every view holds finished code; no helper but these.
  const options = { strict: true, noEscape: true, knownHelpersOnly: true, knownHelpers: { each: true, if: true } };
  const folder = join(packageRoot(), "templates");
  const source = (name: string) => readFileSync(join(folder, `${name}.hbs`), "utf8");
  engine.registerPartial("header", engine.compile(source("header"), options));
  const templates = new Map(names.map((name) => [name, engine.compile<object>(source(name), options)]));
  return ({ template, view }) => templates.get(template)!(view);
}
