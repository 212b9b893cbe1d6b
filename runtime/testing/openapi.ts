/**
 * OpenAPI v3 of what is served, a document for each group and version. Counterpart: apiextensions-apiserver
 * `controller/openapi/builder`. Built-in kinds are published with their metadata alone, everything else about them being
 * open: the schemas of Kubernetes are another project's text. Built-in resources have `/watch/` paths, custom ones have none.
 */
import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject } from "./json.js";
import { META, META_SCHEMAS, propertyRef, SCALE, SCALE_SCHEMAS, schemaRef } from "./openapi-meta.js";
import type { ResourceRegistry, ServedResource } from "./resource-registry.js";

export interface PublishedDocument {
  readonly text: string;
  readonly hash: string;
}

/** Documents are made when they are asked for, and kept while what they describe stays. */
export class OpenApiPublisher {
  readonly #registry: ResourceRegistry;
  readonly #published = new Map<string, PublishedDocument & { readonly of: readonly ServedResource[] }>();

  constructor(registry: ResourceRegistry) {
    this.#registry = registry;
  }

  /** `/openapi/v3`. */
  index(): object {
    const versions = [...new Set(this.#registry.all().map(({ apiVersion }) => apiVersion))];
    const paths = versions.map((apiVersion) => {
      const path = rootOf(apiVersion).slice(1);
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#document(apiVersion)?.hash}` }];
    });
    return { paths: Object.fromEntries(paths) };
  }

  /** @param path below `/openapi/v3/`: `api/v1`, `apis/apps/v1`. Undefined for what is not served. */
  document(path: string): PublishedDocument | undefined {
    const [, apiVersion] = /^(?:api|apis)\/(.+)$/.exec(path) ?? [];
    return apiVersion === undefined || rootOf(apiVersion) !== `/${path}` ? undefined : this.#document(apiVersion);
  }

  #document(apiVersion: string): PublishedDocument | undefined {
    const resources = this.#registry.version(apiVersion);
    if (resources === undefined) return undefined;
    const known = this.#published.get(apiVersion);
    if (known?.of.length === resources.length && resources.every((resource, i) => resource === known.of[i]))
      return known;
    const text = JSON.stringify(openApiDocument(resources));
    const hash = createHash("sha256").update(text).digest("hex").toUpperCase();
    const published = { text, hash, of: resources };
    this.#published.set(apiVersion, published);
    return published;
  }
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The document for the resources of one group and version. */
function openApiDocument(resources: readonly ServedResource[]): object {
  const paths: [string, object][] = [];
  const schemas: [string, object][] = Object.entries(META_SCHEMAS);
  if (resources.some(({ subresources }) => subresources.includes("scale")))
    schemas.push(...Object.entries(SCALE_SCHEMAS));
  for (const resource of resources.filter(({ verbs }) => verbs.includes("list"))) {
    const name = schemaName(resource);
    const gvk = { group: resource.group, kind: resource.kind, version: resource.version };
    schemas.push([name, { ...kindSchema(resource), "x-kubernetes-group-version-kind": [gvk] }]);
    const listName = name.slice(0, name.length - resource.kind.length) + resource.listKind;
    schemas.push([
      listName,
      { ...listSchema(name), "x-kubernetes-group-version-kind": [{ ...gvk, kind: resource.listKind }] },
    ]);
    paths.push(...pathsOf(resource, name, listName));
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.36.0" },
    paths: Object.fromEntries(paths.sort(byKey)),
    components: { schemas: Object.fromEntries(schemas.sort(byKey)) },
  };
}

function byKey([a]: readonly [string, object], [b]: readonly [string, object]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const BUILTIN_PACKAGES = new Map([
  ["apiextensions.k8s.io", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions"],
  ["apiregistration.k8s.io", "io.k8s.kube-aggregator.pkg.apis.apiregistration"],
]);

/** `com.example.stable.v1.CronTab`; of a built-in kind `io.k8s.api.core.v1.Pod`. */
function schemaName({ group, version, kind, custom }: ServedResource): string {
  if (custom !== undefined) return [...group.split(".").reverse(), version, kind].join(".");
  const folder = BUILTIN_PACKAGES.get(group) ?? `io.k8s.api.${group === "" ? "core" : group.split(".")[0]}`;
  return `${folder}.${version}.${kind}`;
}

const ENVELOPE = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: propertyRef(`${META}.ObjectMeta`),
};

function kindSchema({ custom }: ServedResource): JsonObject {
  if (custom === undefined)
    return { type: "object", properties: ENVELOPE, "x-kubernetes-preserve-unknown-fields": true };
  return withEnvelope(publishedSchema(custom.schema));
}

function withEnvelope(schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  return { ...schema, properties: { ...properties, ...ENVELOPE } };
}

/** The schema as it was given, with what two of its extensions mean spelled out for readers that do not know them. */
function publishedSchema(schema: unknown): JsonObject {
  if (!isJsonObject(schema)) return {};
  const published = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, publishedKeyword(name, value)]),
  );
  if (schema["x-kubernetes-int-or-string"] === true && schema["anyOf"] === undefined && schema["allOf"] === undefined) {
    return { ...published, anyOf: [{ type: "integer" }, { type: "string" }] };
  }
  return schema["x-kubernetes-embedded-resource"] === true ? withEnvelope(published) : published;
}

function publishedKeyword(name: string, value: unknown): unknown {
  switch (name) {
    case "properties":
      return isJsonObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, schema]) => [key, publishedSchema(schema)]))
        : value;
    case "items":
    case "additionalProperties":
    case "not":
      return isJsonObject(value) ? publishedSchema(value) : value;
    case "allOf":
    case "anyOf":
    case "oneOf":
      return Array.isArray(value) ? value.map(publishedSchema) : value;
    default:
      return value;
  }
}

function listSchema(item: string): object {
  return {
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string" },
      items: { type: "array", items: schemaRef(item) },
      kind: { type: "string" },
      metadata: propertyRef(`${META}.ListMeta`),
    },
  };
}

const text = { type: "string", uniqueItems: true };
const bool = { type: "boolean", uniqueItems: true };
const integer = { type: "integer", uniqueItems: true };
const query = (schemas: Readonly<Record<string, object>>) =>
  Object.entries(schemas).map(([name, schema]) => ({ name, in: "query", schema }));
const inPath = (name: string) => ({ name, in: "path", required: true, schema: text });

const LIST_QUERY = query({
  allowWatchBookmarks: bool,
  continue: text,
  fieldSelector: text,
  labelSelector: text,
  limit: integer,
  resourceVersion: text,
  resourceVersionMatch: text,
  sendInitialEvents: bool,
  timeoutSeconds: integer,
  watch: bool,
});
const WRITE_QUERY = query({ dryRun: text, fieldManager: text, fieldValidation: text });
const GET_QUERY = query({ resourceVersion: text });
const DELETE_QUERY = query({ dryRun: text, gracePeriodSeconds: integer, propagationPolicy: text });

function* pathsOf(resource: ServedResource, item: string, list: string): Generator<[string, object]> {
  const { kind, resource: plural, scope, subresources, verbs } = resource;
  const root = rootOf(resource.apiVersion);
  const isNamespaced = scope === "Namespaced";
  const scoped = isNamespaced ? `/namespaces/{namespace}/${plural}` : `/${plural}`;
  const scopeParameters = isNamespaced ? [inPath("namespace")] : [];
  const named = `${isNamespaced ? "Namespaced" : ""}${kind}`;
  const operation = operationOf(resource);
  const id = (verb: string, name: string) => `${verb}${operationPrefix(resource)}${name}`;

  if (isNamespaced)
    yield [
      `${root}/${plural}`,
      { get: operation("list", id("list", `${kind}ForAllNamespaces`), list), parameters: LIST_QUERY },
    ];
  yield [
    root + scoped,
    {
      get: { ...operation("list", id("list", named), list), parameters: LIST_QUERY },
      ...(verbs.includes("create") ? { post: write(operation("post", id("create", named), item), item) } : {}),
      ...(verbs.includes("deletecollection")
        ? {
            delete: {
              ...operation("deletecollection", id("deleteCollection", named), `${META}.Status`),
              parameters: LIST_QUERY,
            },
          }
        : {}),
      parameters: scopeParameters,
    },
  ];
  const nameParameters = [inPath("name"), ...scopeParameters];
  const read = (name: string, schema: string) => ({
    ...operation("get", id("read", name), schema),
    parameters: GET_QUERY,
  });
  const written = (name: string, schema: string) => ({
    put: write(operation("put", id("replace", name), schema), schema),
    patch: patch(operation("patch", id("patch", name), schema)),
  });
  yield [
    `${root}${scoped}/{name}`,
    {
      get: read(named, item),
      ...(verbs.includes("update") ? written(named, item) : {}),
      ...(verbs.includes("delete")
        ? { delete: { ...operation("delete", id("delete", named), `${META}.Status`), parameters: DELETE_QUERY } }
        : {}),
      parameters: nameParameters,
    },
  ];
  for (const subresource of subresources.filter((one) => one === "status" || one === "scale")) {
    const schema = subresource === "scale" ? SCALE : item;
    const name = named + (subresource === "scale" ? "Scale" : "Status");
    yield [
      `${root}${scoped}/{name}/${subresource}`,
      { get: read(name, schema), ...written(name, schema), parameters: nameParameters },
    ];
  }
  if (resource.custom !== undefined || !verbs.includes("watch")) return;
  const watched = (name: string) => operation("watchlist", id("watch", `${name}List`), `${META}.WatchEvent`);
  if (isNamespaced)
    yield [`${root}/watch/${plural}`, { get: watched(`${kind}ForAllNamespaces`), parameters: LIST_QUERY }];
  yield [`${root}/watch${scoped}`, { get: watched(named), parameters: [...scopeParameters, ...LIST_QUERY] }];
}

/** `StableExampleComV1`, `CoreV1`: what operations are named by. */
function operationPrefix({ group, version }: ServedResource): string {
  const words = group === "" ? ["core"] : group.replace(/\.k8s\.io$/, "").split(/[.-]/);
  return [...words, version].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function operationOf({ group, version, kind }: ServedResource) {
  return (action: string, operationId: string, schema: string) => ({
    operationId,
    responses: {
      "200": { description: "OK", content: { "application/json": { schema: schemaRef(schema) } } },
      "401": { description: "Unauthorized" },
    },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind },
  });
}

function write(operation: object, schema: string): object {
  const requestBody = { content: { "application/json": { schema: schemaRef(schema) } }, required: true };
  return { ...operation, parameters: WRITE_QUERY, requestBody };
}

/** Strategic merge is taken but not offered: kubectl would look for merge keys in schemas that have none. */
function patch(operation: object): object {
  const schema = schemaRef(`${META}.Patch`);
  const content = { "application/json-patch+json": { schema }, "application/merge-patch+json": { schema } };
  return { ...operation, parameters: WRITE_QUERY, requestBody: { content, required: true } };
}
