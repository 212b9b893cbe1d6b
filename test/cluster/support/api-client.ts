/** Just enough of a client to write objects with, and to list them fresh; independent of what is tested. */
import { request as httpRequest } from "node:http";
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

  async #call<T>(method: string, path: string, body?: object, contentType = "application/json"): Promise<T> {
    const server = this.#kubeConfig.getCurrentCluster()?.server ?? "";
    const options: RequestOptions = { method, headers: {} };
    if (server.startsWith("https:")) await this.#kubeConfig.applyToHTTPSOptions(options);
    options.headers = { ...options.headers, accept: "application/json" };
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (text !== undefined) {
      // The length, because node sends the body of a DELETE without saying where it ends.
      options.headers = { ...options.headers, "content-type": contentType, "content-length": Buffer.byteLength(text) };
    }
    return new Promise((resolve, reject) => {
      const send = server.startsWith("https:") ? httpsRequest : httpRequest;
      const request = send(`${server}${path}`, options, (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          answer += chunk;
        });
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status < 300) resolve(JSON.parse(answer));
          else reject(new Error(`${method} ${path}: ${status} ${answer}`));
        });
      });
      request.on("error", reject);
      request.end(text);
    });
  }
}
