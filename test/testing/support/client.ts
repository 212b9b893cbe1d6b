/** A client that is nobody's: `fetch`, and what a test wants to see of an answer. */
import type { GroupVersionResource } from "../../../runtime/api/group-version-resource.js";
import type { EmbeddedApiServer } from "../../../runtime/testing/index.js";

export const configMaps: GroupVersionResource = { group: "", version: "v1", resource: "configmaps" };
export const pods: GroupVersionResource = { group: "", version: "v1", resource: "pods" };
export const namespaces: GroupVersionResource = { group: "", version: "v1", resource: "namespaces" };
export const deployments: GroupVersionResource = { group: "apps", version: "v1", resource: "deployments" };
export const definitions: GroupVersionResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  resource: "customresourcedefinitions",
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly body: any;
}

export async function getJson(
  server: EmbeddedApiServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return read(await fetch(server.url + path, { headers }));
}

export async function sendJson(
  server: EmbeddedApiServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const type: Record<string, string> = sent === undefined ? {} : { "Content-Type": "application/json" };
  return read(
    await fetch(server.url + path, {
      method,
      headers: { ...type, ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    }),
  );
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== "" ? JSON.parse(text) : undefined,
  };
}

export interface WatchEvent {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly object: any;
}

/** A watch as a client sees it, line by line. */
export class Watch implements AsyncDisposable {
  readonly #abort = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #text = "";
  readonly #decoder = new TextDecoder();

  static async open(server: EmbeddedApiServer, path: string, headers: Record<string, string> = {}): Promise<Watch> {
    const watch = new Watch();
    const separator = path.includes("?") ? "&" : "?";
    const response = await fetch(`${server.url}${path}${separator}watch=true`, {
      headers,
      signal: watch.#abort.signal,
    });
    if (response.status !== 200) throw new Error(`watch: ${response.status} ${await response.text()}`);
    watch.#reader = response.body?.getReader();
    return watch;
  }

  /** The next event; undefined at a clean end. Rejects when the connection breaks. */
  async next(): Promise<WatchEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return JSON.parse(line);
      }
      const chunk = await this.#reader?.read();
      if (chunk === undefined || chunk.done) return undefined;
      this.#text += this.#decoder.decode(chunk.value, { stream: true });
    }
  }

  async take(count: number): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) break;
      events.push(event);
    }
    return events;
  }

  /** Everything up to the clean end. */
  rest(): Promise<WatchEvent[]> {
    return this.take(Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#reader?.cancel().catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** `ADDED a`, `BOOKMARK`: enough for most assertions. */
export function summary({ type, object }: WatchEvent): string {
  const name = object.metadata?.name;
  return name === undefined ? type : `${type} ${name}`;
}

/** Turns of the event loop until `condition` holds: sockets take a few. Fails after many. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`never became true: ${condition}`);
}

/** A CustomResourceDefinition of CronTabs in stable.example.com, with one version unless told otherwise. */
export function cronTabDefinition(
  overrides: { versions?: readonly object[]; scope?: string; schema?: object } = {},
): object {
  const schema = overrides.schema ?? {
    type: "object",
    properties: {
      spec: {
        type: "object",
        required: ["cronSpec"],
        properties: {
          cronSpec: { type: "string" },
          image: { type: "string", default: "busybox" },
          replicas: { type: "integer", minimum: 0, maximum: 10 },
        },
      },
      status: { type: "object", properties: { replicas: { type: "integer" } } },
    },
  };
  const v1 = {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
    selectableFields: [{ jsonPath: ".spec.image" }],
    additionalPrinterColumns: [
      { name: "Spec", type: "string", jsonPath: ".spec.cronSpec" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "crontabs.stable.example.com" },
    spec: {
      group: "stable.example.com",
      names: { plural: "crontabs", kind: "CronTab", shortNames: ["ct"], categories: ["all"] },
      scope: overrides.scope ?? "Namespaced",
      versions: overrides.versions ?? [v1],
    },
  };
}

export const cronTabs: GroupVersionResource = { group: "stable.example.com", version: "v1", resource: "crontabs" };
export const CRON_TABS_PATH = "/apis/stable.example.com/v1/namespaces/default/crontabs";

export function cronTab(name: string, spec: object = { cronSpec: "* * * * *" }): object {
  return { apiVersion: "stable.example.com/v1", kind: "CronTab", metadata: { name }, spec };
}
