/** Every default of a schema, and where there may be none. */
import { asSchema, type Schema } from "../model.js";
import { checkDefault, checkMetaDefault } from "./crd-default.js";
import { childrenOf, isSet } from "./crd-schema.js";
import type { Problem } from "./forms.js";
import type { Path } from "./yaml.js";

const typeMeta = ["apiVersion", "kind", "metadata"];

/** Makes the object that a default within its metadata would make. */
type Wrap = (value: unknown) => Schema;

/** @param root a structural schema, without other problems */
export function checkDefaults(root: Schema): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: Path, problem: string | undefined) => {
    if (problem === undefined) return;
    const message = `default ${problem}`;
    problems.push({ path: [...path, "default"], message, hint: "expected a value that the schema accepts" });
  };
  const visit = (schema: Schema, path: Path, wrap?: Wrap): void => {
    const value = schema["default"];
    const embedded = schema["x-kubernetes-embedded-resource"] === true;
    if (isSet(value))
      refuse(
        path,
        wrap === undefined || embedded ? checkDefault(value, schema) : checkMetaDefault(wrap(value), value, schema),
      );
    const items = asSchema(schema["items"]);
    if (items !== undefined) visit(items, [...path, "items"], wrap && ((item) => wrap([item])));
    // Those of the values of a map are never filled in.
    for (const [name, property] of Object.entries(asSchema(schema["properties"]) ?? {})) {
      const inner: Wrap | undefined =
        embedded && typeMeta.includes(name)
          ? (item) => ({ apiVersion: "validation/v1", kind: "Validation", [name]: item })
          : wrap && !embedded
            ? (item) => wrap({ [name]: item })
            : undefined;
      visit(asSchema(property) ?? {}, [...path, "properties", name], inner);
    }
  };
  // The root is a resource, whether it says so or not.
  visit({ ...root, "x-kubernetes-embedded-resource": true }, []);
  return [...problems, ...typeMetaProblems(root)];
}

/** Nothing below a root's own apiVersion, kind and metadata has a default; and no metadata has an object of its own. */
function typeMetaProblems(root: Schema): Problem[] {
  const problems: Problem[] = [];
  const visit = (schema: Schema, path: Path, isRoot: boolean, inside: "root" | "meta" | undefined): void => {
    const embedded = schema["x-kubernetes-embedded-resource"] === true;
    if (inside === "root" && isSet(schema["default"])) {
      problems.push({ path: [...path, "default"], message: `${path[1]} cannot have a default`, hint: "leave it out" });
    }
    if (inside !== undefined && embedded) {
      problems.push({ path, message: "an embedded resource within metadata", hint: "leave it out" });
    }
    for (const [child, at] of childrenOf(schema, path)) {
      const isMeta = (isRoot || embedded) && at[path.length] === "properties" && typeMeta.includes(String(at.at(-1)));
      visit(asSchema(child) ?? {}, at, false, isMeta ? (isRoot ? "root" : (inside ?? "meta")) : inside);
    }
  };
  visit(root, [], true, undefined);
  return problems;
}
