/** Just enough of a client to write objects with, and to list them fresh; independent of what is tested. */
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";

export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: { readonly [key: string]: string };
  };
  readonly [field: string]: unknown;
}

export interface ApiList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ApiObject[];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export class ApiClient {
  readonly #kubeConfig: KubeConfig;

  constructor(kubeConfig: KubeConfig) {
    this.#kubeConfig = kubeConfig;
  }

  static fromFile(path: string): ApiClient {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(path);
    return new ApiClient(kubeConfig);
  }

  get(path: string): Promise<ApiObject> {
    return this.#call("GET", path);
  }

  list(path: string): Promise<ApiList> {
    return this.#call("GET", path);
  }

  create(path: string, object: object): Promise<ApiObject> {
    return this.#call("POST", path, object);
  }

  /** A JSON merge patch. */
  patch(path: string, change: object): Promise<ApiObject> {
    return this.#call("PATCH", path, change, "application/merge-patch+json");
  }

  delete(path: string): Promise<unknown> {
    return this.#call("DELETE", path, { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 0 });
  }

  /** To a GET, whatever it is. A watch is read to its end. */
  answer(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#send("GET", path, undefined, { accept: "application/json", ...headers });
  }

  async #call<T>(method: string, path: string, body?: object, contentType = "application/json"): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    // The length, because node sends the body of a DELETE without saying where it ends.
    const content = text !== undefined && { "content-type": contentType, "content-length": Buffer.byteLength(text) };
    const { status, body: answer } = await this.#send(method, path, text, { accept: "application/json", ...content });
    if (status < 300) return JSON.parse(answer.toString());
    throw new Error(`${method} ${path}: ${status} ${answer}`);
  }

  async #send(method: string, path: string, text: string | undefined, headers: OutgoingHttpHeaders): Promise<Answer> {
    const server = this.#kubeConfig.getCurrentCluster()?.server ?? "";
    const options: RequestOptions = { method, headers: {} };
    if (server.startsWith("https:")) await this.#kubeConfig.applyToHTTPSOptions(options);
    options.headers = { ...options.headers, ...headers };
    return new Promise((resolve, reject) => {
      const send = server.startsWith("https:") ? httpsRequest : httpRequest;
      const request = send(`${server}${path}`, options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      request.on("error", reject);
      request.end(text);
    });
  }
}
