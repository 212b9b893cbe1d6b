import { describe, expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import type { ListOptions } from "../../runtime/api/list-options.js";
import type { ListerWatcher, ListPage } from "../../runtime/cache/list-watch.js";
import { listAllPages } from "../../runtime/cache/pager.js";
import { type Thing, thing } from "../support/entries.js";
import { informerErrorOf } from "../support/thrown.js";

const { signal } = new AbortController();
const expired = new InformerError("expired", "the continue token is too old");

const page = (keys: string, next: string, resourceVersion = "10"): ListPage<Thing> => ({
  entries: [...keys].map((key) => thing(key, "1")),
  resourceVersion,
  continue: next,
});

/** A server that answers from a script; what was asked is kept. */
function serverOf(...answers: (ListPage<Thing> | InformerError)[]) {
  const asked: ListOptions[] = [];
  const listerWatcher: ListerWatcher<Thing> = {
    name: "pods",
    async list(options, _signal, onProgress) {
      asked.push(options);
      onProgress();
      const answer = answers.shift();
      if (answer === undefined || answer instanceof InformerError) throw answer ?? new Error("the script has ended");
      return answer;
    },
    watch: () => Promise.reject(new Error("not asked for")),
  };
  let progress = 0;
  const list = async (options: ListOptions) => {
    const { entries, ...rest } = await listAllPages(listerWatcher, options, signal, () => progress++);
    return { keys: entries.map(({ key }) => key).join(""), ...rest };
  };
  return { asked, list, progress: () => progress };
}

describe("listAllPages", () => {
  test.each([
    ["no object", [page("", "")], "", false],
    ["one page", [page("ab", "")], "ab", false],
    ["two pages", [page("ab", "t1"), page("c", "")], "abc", true],
    ["a last page that is empty", [page("ab", "t1"), page("", "")], "ab", true],
    ["three pages", [page("ab", "t1"), page("cd", "t2"), page("e", "")], "abcde", true],
  ])("%s", async (_, pages, keys, paginated) => {
    const count = pages.length;
    const server = serverOf(...pages);
    expect(await server.list({ resourceVersion: "0", limit: 2 })).toMatchObject({
      keys,
      paginated,
      resourceVersion: "10",
    });
    expect(server.asked).toHaveLength(count);
    expect(server.progress()).toBe(count);
  });

  test("a token goes without resourceVersion and its match, which servers refuse beside it", async () => {
    const server = serverOf(page("ab", "t1"), page("cd", "t2"), page("e", ""));
    const options = {
      resourceVersion: "7",
      resourceVersionMatch: "NotOlderThan",
      limit: 2,
      labelSelector: "a",
    } as const;
    await server.list(options);
    expect(server.asked).toEqual([
      options,
      { resourceVersion: "", continue: "t1", limit: 2, labelSelector: "a" },
      { resourceVersion: "", continue: "t2", limit: 2, labelSelector: "a" },
    ]);
  });

  test("the list is as of its first page, whatever later pages say: a watch from there misses nothing", async () => {
    expect(await serverOf(page("a", "t1", "10"), page("b", "", "12")).list({})).toMatchObject({
      resourceVersion: "10",
    });
  });

  test("a token that has expired: all of it once more, unpaged, with nothing of the first pages", async () => {
    const server = serverOf(page("ab", "t1"), page("cd", "t2"), expired, page("xyz", "", "20"));
    expect(await server.list({ resourceVersion: "7", limit: 2 })).toMatchObject({
      keys: "xyz",
      resourceVersion: "20",
      paginated: true,
    });
    expect(server.asked.at(-1)).toEqual({ resourceVersion: "7", limit: 0 });
  });

  test("a server that pages even then has not given all: half a list would delete the rest", async () => {
    const server = serverOf(page("ab", "t1"), expired, page("xy", "t2", "20"));
    expect(await informerErrorOf(server.list({ limit: 2 }))).toBe(expired);
  });

  test("an expired first page is the caller's to see", async () => {
    const server = serverOf(expired);
    expect(await informerErrorOf(server.list({ resourceVersion: "7" }))).toBe(expired);
    expect(server.asked).toHaveLength(1);
  });

  test("any other failure ends it", async () => {
    const broken = new InformerError("connection", "the connection broke");
    const server = serverOf(page("ab", "t1"), broken);
    expect(await informerErrorOf(server.list({}))).toBe(broken);
    expect(server.asked).toHaveLength(2);
  });

  test.each([
    ["at once", [page("a", "t1"), page("b", "t1"), page("c", "t1")]],
    ["in a circle", [page("a", "t1"), page("b", "t2"), page("c", "t1"), page("d", "t2")]],
  ])("a token that comes again (%s) is refused, not followed for ever", async (_, pages) => {
    const error = await informerErrorOf(serverOf(...pages).list({}));
    expect(error).toMatchObject({ code: "protocol", message: expect.stringContaining("list pods") });
  });
});
