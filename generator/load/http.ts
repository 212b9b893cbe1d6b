/** GET over HTTP(S) with a cap on time and size, for the OpenAPI of a server. Redirects are not followed. */
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet, type RequestOptions } from "node:https";
import { GeneratorError } from "../errors.js";

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const maxBytes = 64 * 1024 * 1024;
const timeoutMs = 30_000;

/** @param options what `KubeConfig.applyToHTTPSOptions` fills: headers, certificates, agent */
export function get(url: URL, options: RequestOptions): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(
        new GeneratorError("cluster", `${url.origin} cannot be reached: ${cause.message}`, {
          cause,
          hint: "check the address, the context and the network; kubectl cluster-info asks the same server",
        }),
      );
    const receive = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else response.destroy(tooMuch(url));
      });
      response.on("error", (error) => (error instanceof GeneratorError ? reject(error) : failed(error)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    };
    const all = { ...options, timeout: timeoutMs };
    const request =
      url.protocol === "https:" ? httpsGet(url, all, receive) : httpGet(url, { ...all, agent: undefined }, receive);
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    request.on("error", failed);
  });
}

function tooMuch({ pathname }: URL): GeneratorError {
  return new GeneratorError("limit", `${pathname} answers with more than ${maxBytes / 1024 / 1024} MiB`, {
    hint: "expected an OpenAPI document: is this the address of one?",
  });
}
