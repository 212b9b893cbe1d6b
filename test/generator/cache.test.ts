// What a server published is kept under its hash.
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cacheFolder, withCache } from "../../generator/load/cache.js";
import { temporaryFolder } from "./support/project.js";

const hash = "0123456789ABCDEF".repeat(4);

function server(body: string, status = 200) {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    return { status, body: Buffer.from(body) };
  };
  return { asked, client: { name: "test", get } };
}

it("a document with a hash is asked for once, by each server and hash", async () => {
  const folder = join(temporaryFolder(), "deep", "cache");
  const { asked, client } = server("{}");
  const first = withCache(client, "https://a", folder);
  expect((await first.get(`/openapi/v3/api/v1?hash=${hash}`)).body.toString()).toBe("{}");
  expect((await withCache(client, "https://a", folder).get(`/openapi/v3/api/v1?hash=${hash}`)).body.toString()).toBe(
    "{}",
  );
  expect(asked).toHaveLength(1);
  await withCache(client, "https://b", folder).get(`/openapi/v3/api/v1?hash=${hash}`);
  await first.get(`/openapi/v3/api/v1?hash=${hash.replace("0", "F")}`);
  expect(asked).toHaveLength(3);
  const [file] = readdirSync(folder);
  expect(statSync(join(folder, file!)).mode & 0o77).toBe(0);
});

it("what has no hash, is empty, or fails, is asked for every time", async () => {
  const folder = temporaryFolder();
  for (const [{ asked, client }, path] of [
    [server("{}"), "/openapi/v3"],
    [server(""), `/openapi/v3/api/v1?hash=${hash}`],
    [server("{}", 503), `/openapi/v3/api/v1?hash=${hash}`],
  ] as const) {
    const cached = withCache(client, "https://a", folder);
    await cached.get(path);
    await cached.get(path);
    expect(asked).toHaveLength(2);
  }
});

it("a cache that cannot be used is none", async () => {
  const folder = join(temporaryFolder(), "taken");
  writeFileSync(folder, "a file");
  const { asked, client } = server("{}");
  await withCache(client, "https://a", folder).get(`/x?hash=${hash}`);
  await withCache(client, "https://a", folder).get(`/x?hash=${hash}`);
  expect(asked).toHaveLength(2);
});

it("stands where the user keeps caches", () => {
  expect(cacheFolder({ KUBE_INFORMERS_CACHE: "/c" })).toBe("/c/openapi");
  expect(cacheFolder({ XDG_CACHE_HOME: "/x" })).toBe("/x/kube-informers/openapi");
});
