/** What an API server publishes below `/openapi/v3`: an index, and a document for each group and version. */
import { GeneratorError } from "../errors.js";
import { type ApiDocument, asSchema } from "../model.js";
import { checkSize } from "./json.js";
import { openApiDocuments } from "./openapi.js";
import type { Progress } from "./progress.js";

/** A way to ask one server. */
export interface ServerClient {
  readonly name: string;
  get(path: string, accept?: string): Promise<{ status: number; body: Buffer }>;
}

const maxDocuments = 2000;

/** Reads `/openapi/v3` of a server: the index, then every document that the index names. */
export async function readPublished(
  client: ServerClient,
  progress: Progress,
): Promise<{ documents: ApiDocument[]; failed: string[] }> {
  const index =
    asSchema(asSchema(parseAnswer((await ask(client, "/openapi/v3")).body, "/openapi/v3"))?.["paths"]) ?? {};
  const names = Object.keys(index).filter((name) => /^(?:api\/[^/]+|apis\/[^/]+\/[^/]+)$/.test(name));
  if (names.length > maxDocuments)
    throw new GeneratorError("limit", `the index of /openapi/v3 names ${names.length} documents`, {
      hint: `expected at most ${maxDocuments}: is this the address of an API server?`,
    });
  const documents: ApiDocument[] = [];
  const failed: string[] = [];
  for (const [number, name] of names.sort().entries()) {
    progress.detail(`reading schemas ${number + 1}/${names.length} ${name}`);
    const path = relativePath(asSchema(index[name])?.["serverRelativeURL"], name);
    const { status, body } = await client.get(path);
    if (status === 401 || status === 403) throw forbidden(client, path, status);
    if (status !== 200) failed.push(`${name} answers ${status}`);
    else documents.push(...openApiDocuments(parseAnswer(body, path), path));
  }
  return { documents, failed };
}

/** A path of the same server: an index must not send us, and our credentials, anywhere else. */
function relativePath(url: unknown, name: string): string {
  const plain =
    typeof url === "string" &&
    /^\/openapi\/v3\/[!-~]+$/.test(url) &&
    !/[\\#]|\/\/|\/\.{1,2}(?:[/?]|$)|%2e|%2f|%5c/i.test(url);
  if (plain) return url;
  throw new GeneratorError("input", `the index of /openapi/v3 sends ${name} to ${JSON.stringify(url)}`, {
    hint: "only paths of the same server, below /openapi/v3/, are followed",
  });
}

export async function ask(client: ServerClient, path: string, accept?: string): Promise<{ body: Buffer }> {
  const answer = await client.get(path, accept);
  if (answer.status === 200) return answer;
  if (answer.status === 401 || answer.status === 403) throw forbidden(client, path, answer.status);
  throw new GeneratorError("cluster", `${client.name} answers ${answer.status} to ${path}`, {
    hint:
      path === "/openapi/v3"
        ? "OpenAPI v3 is served by Kubernetes 1.24 and newer"
        : "is this the address of an API server?",
  });
}

function forbidden(client: ServerClient, path: string, status: number): GeneratorError {
  if (status === 401) {
    return new GeneratorError("cluster", `${client.name} does not know who asks for ${path} (401)`, {
      hint: "log in again; kubectl auth whoami asks the same server",
    });
  }
  return new GeneratorError("cluster", `${client.name} does not allow to read ${path} (${status})`, {
    hint: 'the ClusterRole system:discovery allows it: nonResourceURLs ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"], verbs ["get"]',
  });
}

export function parseAnswer(body: Buffer, path: string): unknown {
  if (body.length === 0) return { openapi: "3.0.0" };
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new GeneratorError("cluster", `the answer to ${path} is no JSON`, {
      cause,
      hint: "is this the address of an API server?",
    });
  }
  checkSize(value, path);
  return value;
}
