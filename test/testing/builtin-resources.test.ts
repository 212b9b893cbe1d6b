/** The server's table of built-in resources and the generated descriptors describe one server, and were made apart. */
import { describe, expect, it } from "vitest";
import { resources } from "../../generated/generic.js";
import { formatGroupVersionResource } from "../../runtime/api/group-version-resource.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";
import { BUILTIN_RESOURCES, type BuiltinResource } from "../../runtime/testing/builtin-resources.js";

function factsOfServed({ kind, scope, shortNames, categories, subresources, selectableFields }: BuiltinResource) {
  return {
    kind,
    listKind: `${kind}List`,
    singular: kind.toLowerCase(),
    scope,
    shortNames,
    categories,
    subresources: [...subresources].sort(),
    selectableFields: [...selectableFields].sort(),
  };
}

function factsOfGenerated(descriptor: ResourceDescriptor) {
  const { kind, listKind, singular, scope, shortNames = [], categories = [], subresources = [] } = descriptor;
  const selectableFields = [...(descriptor.selectableFields ?? [])].sort();
  return {
    kind,
    listKind,
    singular,
    scope,
    shortNames,
    categories,
    subresources: [...subresources].sort(),
    selectableFields,
  };
}

describe("built-in resources", () => {
  const generated = new Map(
    (resources as readonly ResourceDescriptor[]).map((one) => [formatGroupVersionResource(one), factsOfGenerated(one)]),
  );
  const served = new Map(BUILTIN_RESOURCES.map((one) => [formatGroupVersionResource(one), factsOfServed(one)]));
  const watchable = BUILTIN_RESOURCES.filter(({ verbs }) => verbs.includes("watch")).map(formatGroupVersionResource);

  // generated/ has every version of the API; the table those that a server has at its default settings.
  it("that can be watched are among those that are generated, and all of them at stable versions", () => {
    const stable = [...generated.keys()].filter((name) => !/v\d+(?:alpha|beta)\d+/.test(name));
    expect(watchable.sort()).toEqual(stable.sort());
  });

  it.each(watchable)("%s", (name) => {
    expect(served.get(name)).toEqual(generated.get(name));
  });
});
