/** OpenAPI documents as a kube-apiserver publishes them, v3 or v2 → one document for each group and version. */
import { GeneratorError } from "../errors.js";
import { type ApiDocument, asSchema, type Resource, type Schema } from "../model.js";
import { customSchemaKey } from "../naming.js";
import { groupVersionKinds } from "../schema-keywords.js";
import { selectableAt } from "./crd-facts.js";

interface Draft {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  kind?: string;
  listKind?: string;
  namespaced: boolean;
  watched: boolean;
  readonly subresources: Set<string>;
}

/** @param origin the name of the source, for messages */
export function openApiDocuments(root: unknown, origin: string): ApiDocument[] {
  const document = asSchema(root) ?? {};
  const schemas = schemasOf(document, origin);
  const byKind = new Map<string, string>();
  for (const [key, schema] of schemas) {
    for (const kind of groupVersionKinds(schema)) byKind.set(`${kind.group}/${kind.version}/${kind.kind}`, key);
  }
  const drafts = readPaths(asSchema(document["paths"]) ?? {});
  const documents = new Map<string, ApiDocument & { resources: Resource[] }>();
  for (const draft of drafts.values()) {
    const { group, version, resource, kind } = draft;
    if (kind === undefined) continue;
    const schema = byKind.get(`${group}/${version}/${kind}`);
    if (schema === undefined) {
      throw new GeneratorError("input", `${origin} lists ${resource} and has no schema of kind ${kind}`, {
        hint: "a schema says which kind it is with x-kubernetes-group-version-kind; give the document as the server published it",
      });
    }
    const id = `${group}/${version}`;
    const target = documents.get(id) ?? { group, version, complete: true, resources: [], schemas };
    documents.set(id, target);
    target.resources.push({
      group,
      version,
      resource,
      kind,
      scope: draft.namespaced ? "Namespaced" : "Cluster",
      ...(draft.listKind === undefined ? {} : { listKind: draft.listKind }),
      shortNames: [],
      categories: [],
      subresources: [...draft.subresources].sort(),
      // Custom resources can always be watched and have no such path; a list's own `watch` parameter proves nothing.
      watchable: draft.watched || schema === customSchemaKey(group, version, kind),
      ...selectableFields(schemas.get(schema)),
      schema,
    });
  }
  return [...documents.values()];
}

/** A server publishes the selectable fields of custom resources beside their kind. */
function selectableFields(schema: Schema | undefined): Pick<Resource, "selectableFields"> {
  const list = schema?.["x-kubernetes-selectable-fields"];
  const paths = (Array.isArray(list) ? list : []).map((item) => asSchema(item)?.["fieldPath"]);
  const fields = paths
    .filter((path) => typeof path === "string")
    .map((path) => selectableAt(path.startsWith(".") ? path : `.${path}`, schema));
  return fields.length === 0 ? {} : { selectableFields: fields };
}

function schemasOf(document: Schema, origin: string): Map<string, Schema> {
  const openapi = document["openapi"];
  const swagger = document["swagger"];
  const three = typeof openapi === "string" && openapi.startsWith("3.");
  const two = typeof swagger === "string" && swagger.startsWith("2.");
  if (!three && !two) {
    throw new GeneratorError("input", `${origin} is no OpenAPI document`, {
      hint: 'expected "openapi": "3.…" (from /openapi/v3/…) or "swagger": "2.0" (from /openapi/v2); definitions go by --crd',
    });
  }
  const schemas = asSchema(three ? asSchema(document["components"])?.["schemas"] : document["definitions"]) ?? {};
  return new Map(
    Object.entries(schemas).flatMap(([key, value]) => {
      const schema = asSchema(value);
      return schema === undefined ? [] : [[key, schema] as const];
    }),
  );
}

/** What the paths say of each resource: its scope, its subresources, and whether it can be listed and watched. */
function readPaths(paths: Schema): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const [path, item] of Object.entries(paths)) {
    const parts = /^\/(?:api\/(?<core>[^/]+)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))\/(?<rest>.+)$/.exec(
      path,
    )?.groups;
    if (parts === undefined) continue;
    let segments = parts["rest"]!.split("/");
    const watch = segments[0] === "watch";
    if (watch) segments = segments.slice(1);
    const namespaced = segments[0] === "namespaces" && segments[1] === "{namespace}" && segments.length > 2;
    if (namespaced) segments = segments.slice(2);
    const [resource, name, subresource] = segments as [string, ...string[]];
    const group = parts["group"] ?? "";
    const version = parts["core"] ?? parts["version"]!;
    const id = `${group}/${version}/${resource}`;
    const draft = drafts.get(id) ?? {
      group,
      version,
      resource,
      namespaced: false,
      watched: false,
      subresources: new Set(),
    };
    drafts.set(id, draft);
    if (namespaced) draft.namespaced = true;
    if (watch) draft.watched = true;
    else if (name === undefined) readList(draft, asSchema(asSchema(item)?.["get"]));
    else if (subresource !== undefined && name === "{name}") draft.subresources.add(subresource);
  }
  return drafts;
}

function readList(draft: Draft, operation: Schema | undefined): void {
  if (operation?.["x-kubernetes-action"] !== "list") return;
  const kind = asSchema(operation["x-kubernetes-group-version-kind"])?.["kind"];
  if (typeof kind !== "string") return;
  draft.kind = kind;
  const reference = JSON.stringify(asSchema(asSchema(operation["responses"])?.["200"]) ?? {});
  const listKind = /"\$ref":"#\/[^"]*[./]([A-Za-z0-9-]+)"/.exec(reference)?.[1];
  if (listKind !== undefined) draft.listKind = listKind;
}
