/** From a request to its answer. Counterpart: apiserver `endpoints/handlers` and its installer. */
import { apiVersionOf } from "../api/group-version-resource.js";
import type { Clock } from "../util/clock.js";
import {
  AGGREGATED_TYPE,
  aggregatedDiscovery,
  coreVersions,
  groupDocument,
  groupList,
  resourceList,
  SERVER_VERSION,
  wantsAggregated,
} from "./discovery.js";
import type { Exchange } from "./exchange.js";
import { isJsonObject, type JsonObject, property } from "./json.js";
import { isTrue, parseListQuery, parseRevision } from "./list-query.js";
import type { DeleteOptions, ObjectApi, WriteOptions } from "./object-api.js";
import { FRESHNESS_WAIT_MS, listObjects, selectObjects } from "./object-list.js";
import { versioned } from "./object-shape.js";
import { type ApiObject, type Revision, StoredObject } from "./object-store.js";
import { OpenApiPublisher } from "./openapi.js";
import { applyPatch, type PatchType } from "./patch.js";
import { listJson, negotiate, objectJson, type TableOptions } from "./representation.js";
import type { ResourceRegistry, ServedResource } from "./resource-registry.js";
import { reviewed } from "./reviews.js";
import { type ResourceRoute, routeOf } from "./route.js";
import { scaledObject, scaleOf } from "./scale.js";
import {
  invalid,
  methodNotAllowed,
  noSuchResource,
  notFound,
  tooLargeResourceVersion,
  unsupportedMediaType,
} from "./status.js";
import type { WatchHub } from "./watch-hub.js";

const JSON_TYPES = ["application/json"];
const PATCH_TYPES: readonly PatchType[] = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];
const PLAIN = new Map([
  ["/healthz", "ok"],
  ["/livez", "ok"],
  ["/readyz", "ok"],
]);

export interface ApiHandlerOptions {
  readonly registry: ResourceRegistry;
  readonly revision: Revision;
  readonly objects: ObjectApi;
  readonly watches: WatchHub;
  readonly clock: Clock;
}

export class ApiHandler {
  readonly #registry: ResourceRegistry;
  readonly #revision: Revision;
  readonly #objects: ObjectApi;
  readonly #watches: WatchHub;
  readonly #clock: Clock;
  readonly #openApi: OpenApiPublisher;

  constructor({ registry, revision, objects, watches, clock }: ApiHandlerOptions) {
    this.#registry = registry;
    this.#revision = revision;
    this.#objects = objects;
    this.#watches = watches;
    this.#clock = clock;
    this.#openApi = new OpenApiPublisher(registry);
  }

  /** Resolves when the answer has been written, or its stream opened. Throws ApiError for a refusal. */
  async handle(exchange: Exchange): Promise<void> {
    const route = routeOf(exchange.path);
    if (route?.to === "resource") return this.#resource(exchange, route.resource);
    if (exchange.method !== "GET") throw methodNotAllowed();
    switch (route?.to) {
      case "plain":
        return this.#plain(exchange, route.path);
      case "groups":
        return this.#discovery(exchange, false, groupList(this.#registry));
      case "group":
        return this.#document(
          exchange,
          groupDocument(this.#registry, route.group),
          this.#registry.isBuiltin(route.group),
        );
      case "version":
        return this.#document(
          exchange,
          resourceList(this.#registry, apiVersionOf(route)),
          this.#registry.isBuiltin(route.group),
        );
      case "openapi":
        return this.#schemas(exchange, route.document);
      default:
        return exchange.text(404, "404 page not found\n");
    }
  }

  async #plain(exchange: Exchange, path: string): Promise<void> {
    const health = PLAIN.get(path);
    if (health !== undefined) return exchange.text(200, health);
    if (path === "/version") return exchange.json(200, SERVER_VERSION);
    if (path === "/api") return this.#discovery(exchange, true, coreVersions(exchange.request.headers.host ?? ""));
    return exchange.text(404, "404 page not found\n");
  }

  async #discovery(exchange: Exchange, core: boolean, document: object): Promise<void> {
    if (!wantsAggregated(exchange.request.headers.accept)) return exchange.json(200, document);
    return exchange.json(200, aggregatedDiscovery(this.#registry, core), AGGREGATED_TYPE);
  }

  /** Below a built-in group what is missing is a Status; anywhere else nothing is there to say so. */
  async #document(exchange: Exchange, document: object | undefined, isBuiltin: boolean): Promise<void> {
    if (document !== undefined) return exchange.json(200, document);
    if (isBuiltin) throw noSuchResource();
    return exchange.text(404, "404 page not found\n");
  }

  async #schemas(exchange: Exchange, path: string): Promise<void> {
    if (path === "") return exchange.json(200, this.#openApi.index());
    const document = this.#openApi.document(path);
    if (document === undefined) return exchange.text(404, "");
    const asked = exchange.query.get("hash");
    // A hash names a document for ever: one of another time is sent on to the present one.
    if (asked !== null && asked !== document.hash)
      return exchange.redirect(`/openapi/v3/${path}?hash=${document.hash}`);
    exchange.response.setHeader("ETag", `"${document.hash}"`);
    return exchange.json(200, document.text);
  }

  async #resource(exchange: Exchange, route: ResourceRoute): Promise<void> {
    const resource = this.#registry.find(route);
    const isNamespaced = resource?.scope === "Namespaced";
    const isCollectionOfAll = route.name === "" && (exchange.method === "GET" || resource?.custom === undefined);
    const isMisplaced = isNamespaced ? route.namespace === "" && !isCollectionOfAll : route.namespace !== "";
    if (resource === undefined || isMisplaced) {
      if (this.#registry.isBuiltin(route.group)) throw noSuchResource();
      return exchange.text(404, "404 page not found\n");
    }
    const warning = resource.custom?.deprecationWarning;
    if (warning !== undefined) exchange.warn(warning);
    if (route.subresource !== "") return this.#subresource(exchange, resource, route);
    const isWatch = route.isWatch || (route.name === "" && isTrue(exchange.query.get("watch") ?? ""));
    if (exchange.method === "GET" && isWatch) return this.#watch(exchange, resource, route);
    return route.name === "" ? this.#collection(exchange, resource, route) : this.#object(exchange, resource, route);
  }

  async #collection(exchange: Exchange, resource: ServedResource, route: ResourceRoute): Promise<void> {
    if (exchange.method === "GET") return this.#list(exchange, requireVerb(resource, "list"), route.namespace);
    // Over all namespaces there is nothing but reading.
    if (resource.scope === "Namespaced" && route.namespace === "") throw methodNotAllowed();
    switch (exchange.method) {
      case "POST":
        return this.#create(exchange, requireVerb(resource, "create"), route.namespace);
      case "DELETE":
        return this.#deleteCollection(exchange, requireVerb(resource, "deletecollection"), route.namespace);
      default:
        throw methodNotAllowed();
    }
  }

  async #object(exchange: Exchange, resource: ServedResource, route: ResourceRoute): Promise<void> {
    const { namespace, name } = route;
    switch (exchange.method) {
      case "GET":
        return this.#get(exchange, requireVerb(resource, "get"), namespace, name);
      case "DELETE": {
        const options = await readDeleteOptions(exchange);
        return exchange.json(200, this.#objects.delete(requireVerb(resource, "delete"), namespace, name, options));
      }
      default:
        return this.#write(exchange, requireVerb(resource, "update"), route, writeOptions(exchange));
    }
  }

  /** PUT and PATCH, of an object or of its status. */
  async #write(
    exchange: Exchange,
    resource: ServedResource,
    route: ResourceRoute,
    options: WriteOptions,
  ): Promise<void> {
    const { namespace, name } = route;
    switch (exchange.method) {
      case "PUT": {
        const sent = await exchange.object(JSON_TYPES);
        return this.#send(exchange, 200, resource, this.#objects.update(resource, namespace, name, sent, options));
      }
      case "PATCH": {
        const { type, patch } = await readPatch(exchange, resource);
        return this.#send(
          exchange,
          200,
          resource,
          this.#objects.patch(resource, namespace, name, type, patch, options),
        );
      }
      default:
        throw methodNotAllowed();
    }
  }

  async #get(exchange: Exchange, resource: ServedResource, namespace: string, name: string): Promise<void> {
    const as = negotiate(exchange.request.headers.accept, false);
    const asked = parseRevision(exchange.query.get("resourceVersion") ?? "", "get");
    if (!(await this.#revision.reached(asked, FRESHNESS_WAIT_MS, this.#clock, exchange.signal))) {
      throw tooLargeResourceVersion(asked, this.#revision.current);
    }
    const stored = this.#objects.get(resource, namespace, name);
    return exchange.json(200, objectJson(resource, stored, as, this.#table(exchange)));
  }

  async #list(exchange: Exchange, resource: ServedResource, namespace: string): Promise<void> {
    const as = negotiate(exchange.request.headers.accept, true);
    const query = parseListQuery(exchange.query, false);
    const list = await listObjects(resource, namespace, query, {
      revision: this.#revision,
      clock: this.#clock,
      signal: exchange.signal,
    });
    return exchange.pieces(200, listJson(resource, list, as, this.#table(exchange)));
  }

  async #watch(exchange: Exchange, resource: ServedResource, { namespace, name }: ResourceRoute): Promise<void> {
    const as = negotiate(exchange.request.headers.accept, false);
    const parsed = parseListQuery(exchange.query, true);
    // The old path for one object: a field selector in other words.
    const query = name === "" ? parsed : { ...parsed, fieldSelector: `metadata.name=${name}` };
    const { include } = this.#table(exchange);
    const { signal } = exchange;
    const [open, reset] = [() => exchange.stream(), () => exchange.reset()];
    return this.#watches.watch({ resource, namespace, query, as, include, signal, open, reset });
  }

  async #create(exchange: Exchange, resource: ServedResource, namespace: string): Promise<void> {
    const sent = await exchange.object(JSON_TYPES);
    const answer = reviewed(resource.resource, sent);
    if (answer !== undefined)
      return exchange.json(201, { kind: resource.kind, apiVersion: resource.apiVersion, ...answer });
    if (!resource.verbs.includes("list")) throw methodNotAllowed();
    return this.#send(exchange, 201, resource, this.#objects.create(resource, namespace, sent, writeOptions(exchange)));
  }

  async #deleteCollection(exchange: Exchange, resource: ServedResource, namespace: string): Promise<void> {
    const { labelSelector, fieldSelector } = parseListQuery(exchange.query, false);
    const options = await readDeleteOptions(exchange);
    const items = selectObjects(resource, { namespace, labelSelector, fieldSelector });
    this.#objects.deleteAll(resource, items, options);
    const list = {
      items,
      resourceVersion: String(this.#revision.current),
      continueToken: undefined,
      remainingItemCount: undefined,
    };
    return exchange.pieces(200, listJson(resource, list, "object", this.#table(exchange)));
  }

  async #subresource(exchange: Exchange, resource: ServedResource, route: ResourceRoute): Promise<void> {
    const { subresource, namespace, name } = route;
    if (!resource.subresources.includes(subresource)) {
      throw resource.custom === undefined ? noSuchResource() : notFound(resource, name);
    }
    if (subresource === "scale") return this.#scale(exchange, resource, route);
    if (subresource !== "status") throw methodNotAllowed();
    if (exchange.method === "GET") return this.#get(exchange, resource, namespace, name);
    return this.#write(exchange, resource, route, { ...writeOptions(exchange), subresource });
  }

  async #scale(exchange: Exchange, resource: ServedResource, { namespace, name }: ResourceRoute): Promise<void> {
    const current = versioned(resource, this.#objects.get(resource, namespace, name).object);
    let scale: JsonObject;
    switch (exchange.method) {
      case "GET":
        return exchange.json(200, scaleOf(resource, current));
      case "PUT":
        scale = await exchange.object(JSON_TYPES);
        break;
      case "PATCH": {
        const { type, patch } = await readPatch(exchange, resource);
        scale = applyPatch(type, scaleOf(resource, current), patch);
        break;
      }
      default:
        throw methodNotAllowed();
    }
    const scaled = scaledObject(resource, current, scale);
    const options = writeOptions(exchange);
    return exchange.json(200, scaleOf(resource, this.#objects.update(resource, namespace, name, scaled, options)));
  }

  async #send(exchange: Exchange, status: number, resource: ServedResource, object: ApiObject): Promise<void> {
    const as = negotiate(exchange.request.headers.accept, false);
    return exchange.json(status, objectJson(resource, new StoredObject(object, 0), as, this.#table(exchange)));
  }

  #table({ query }: Exchange): TableOptions {
    const include = query.get("includeObject");
    return {
      include: include === "None" || include === "Object" ? include : "Metadata",
      wallNowMs: this.#clock.wallNow(),
    };
  }
}

function requireVerb(resource: ServedResource, verb: string): ServedResource {
  if (!resource.verbs.includes(verb)) throw methodNotAllowed();
  return resource;
}

function writeOptions(exchange: Exchange): WriteOptions {
  const validation = exchange.query.get("fieldValidation");
  return {
    dryRun: isDryRun(exchange.query.getAll("dryRun")),
    fieldValidation: validation === "Ignore" || validation === "Strict" ? validation : "Warn",
    warn: (text) => exchange.warn(text),
  };
}

function isDryRun(values: readonly unknown[]): boolean {
  if (values.some((value) => value !== "All")) {
    const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
    const error = { type: "NotSupported", field: "dryRun", message } as const;
    throw invalid({ group: "meta.k8s.io", kind: "CreateOptions" }, "", [error]);
  }
  return values.length > 0;
}

async function readPatch(exchange: Exchange, { custom }: ServedResource): Promise<{ type: PatchType; patch: unknown }> {
  const accepted =
    custom === undefined
      ? PATCH_TYPES
      : PATCH_TYPES.filter((type) => type !== "application/strategic-merge-patch+json");
  const type = accepted.find((one) => one === exchange.contentType());
  if (type === undefined) throw unsupportedMediaType(accepted);
  return { type, patch: await exchange.body(accepted) };
}

async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const sent = await exchange.body(JSON_TYPES);
  const preconditions = property(sent, "preconditions");
  const dryRun = property(sent, "dryRun");
  const text = (name: string) => {
    const value = property(preconditions, name);
    return typeof value === "string" ? value : undefined;
  };
  return {
    dryRun: isDryRun([...exchange.query.getAll("dryRun"), ...(Array.isArray(dryRun) ? dryRun : [])]),
    ...(isJsonObject(preconditions)
      ? { preconditions: { uid: text("uid"), resourceVersion: text("resourceVersion") } }
      : {}),
  };
}
