/**
 * What a server published, kept under the hash that its index names it with: an unchanged group is not read again. The index
 * itself is always asked for. Best effort: a folder that cannot be used is none.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ServerClient } from "./published.js";

/** Where answers are kept: `KUBE_INFORMERS_CACHE`, or the user's cache folder. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment["KUBE_INFORMERS_CACHE"] || undefined;
  const caches = environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(own ?? join(caches, "kube-informers"), "openapi");
}

/** A client that asks for a path with a hash once. */
export function withCache(client: ServerClient, server: string, folder: string): ServerClient {
  return {
    ...client,
    async get(path, accept) {
      if (!/[?&]hash=[0-9A-Fa-f]{32,}/.test(path)) return client.get(path, accept);
      const file = join(folder, createHash("sha256").update(`${server}\n${path}`).digest("hex"));
      const body = readKept(file);
      if (body !== undefined) return { status: 200, body };
      const answer = await client.get(path, accept);
      // A group that is not published yet answers with nothing.
      if (answer.status === 200 && answer.body.length > 0) keep(folder, file, answer.body);
      return answer;
    },
  };
}

function readKept(file: string): Buffer | undefined {
  try {
    const body = readFileSync(file);
    return body.length === 0 ? undefined : body;
  } catch {
    return undefined;
  }
}

function keep(folder: string, file: string, body: Buffer): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const part = `${file}.${process.pid}`;
    writeFileSync(part, body, { mode: 0o600 });
    renameSync(part, file);
  } catch {
    // Without a cache everything is read again: slower, and as right.
  }
}
