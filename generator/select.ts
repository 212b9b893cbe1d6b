/** Which resources a run is about: patterns over group, version and kind. */
import { didYouMean } from "./closest.js";
import { GeneratorError } from "./errors.js";
import type { ApiDocument, Resource } from "./model.js";

export interface Selection {
  /** Only what one of these matches; everything when there are none. */
  readonly include: readonly string[];
  /** Nothing of what one of these matches. */
  readonly exclude: readonly string[];
}

/** The documents without the resources that are not selected. */
export function select(documents: readonly ApiDocument[], { include, exclude }: Selection): ApiDocument[] {
  const wanted = include.map((pattern) => ({ pattern, matches: matcher(pattern, "--include"), used: false }));
  const unwanted = exclude.map((pattern) => matcher(pattern, "--exclude"));
  const isSelected = (resource: Resource) => {
    const hits = wanted.filter(({ matches }) => matches(resource));
    for (const hit of hits) hit.used = true;
    return (wanted.length === 0 || hits.length > 0) && !unwanted.some((matches) => matches(resource));
  };
  const selected = documents
    .map((document) => ({ ...document, resources: document.resources.filter(isSelected) }))
    .filter(({ resources }) => resources.length > 0);
  const idle = wanted.find(({ used }) => !used);
  if (idle !== undefined) throw nothing(`--include ${idle.pattern} matches nothing`, idle.pattern, documents);
  if (selected.length === 0) throw nothing("nothing is left to generate", exclude[0] ?? "", documents);
  return selected;
}

function nothing(message: string, pattern: string, documents: readonly ApiDocument[]): GeneratorError {
  const [group = "", version, kind] = pattern.split("/");
  const names = (of: (resource: Resource) => string) => [
    ...new Set(documents.flatMap(({ resources }) => resources.map(of))),
  ];
  const groups = names((resource) => resource.group || "core");
  const known = groups.includes(group);
  const guess = known
    ? didYouMean(
        kind ?? version ?? "",
        names(({ kind: name }) => name),
      )
    : didYouMean(group, groups);
  return new GeneratorError("usage", message, {
    hint: `patterns are GROUP, GROUP/VERSION or GROUP/VERSION/KIND, with * for any${guess}`,
  });
}

/** The core group is `core`; a kind may be given as its plural. */
function matcher(pattern: string, option: string): (resource: Resource) => boolean {
  const parts = pattern.split("/");
  if (parts.length > 3 || parts.some((part) => part === "")) {
    throw new GeneratorError("usage", `${option} ${pattern} is no pattern`, {
      hint: "expected GROUP, GROUP/VERSION or GROUP/VERSION/KIND, with * for any: 'cert-manager.io/*/Certificate*'",
    });
  }
  const [group, version, kind] = parts.map(glob);
  return (resource) =>
    group!.test(resource.group || "core") &&
    (version === undefined || version.test(resource.version)) &&
    (kind === undefined || kind.test(resource.kind) || kind.test(resource.resource));
}

/** `*` stands for any characters, `?` for one. */
function glob(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i");
}
