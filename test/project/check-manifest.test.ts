import { expect, test } from "vitest";
import { lockfileProblems, manifestProblems, npmrcProblems } from "../../scripts/check-manifest.js";

const MANIFEST = {
  type: "module",
  license: "Apache-2.0",
  sideEffects: false,
  engines: { node: ">=20.19" },
  scripts: { build: "tsc", test: "vitest run" },
  devDependencies: { vitest: "4.1.12" },
  peerDependencies: { peer: "^1.0.0" },
  peerDependenciesMeta: { peer: { optional: true } },
};

test("a manifest in order has no problems", () => {
  expect(manifestProblems(MANIFEST)).toEqual([]);
});

test.each([
  [{ scripts: { postinstall: "node x.js" } }, "scripts.postinstall runs on its own"],
  [{ scripts: { prepare: "husky" } }, "scripts.prepare runs on its own"],
  [{ dependencies: { leftpad: "1.0.0" } }, '"dependencies" has leftpad'],
  [{ devDependencies: { vitest: "^4.1.12" } }, "not one exact version"],
  [{ optionalDependencies: { yaml: "latest" } }, "not one exact version"],
  [{ peerDependenciesMeta: {} }, "the peer peer is not optional"],
  [{ type: "commonjs" }, '"type"'],
  [{ sideEffects: true }, '"sideEffects"'],
  [{ license: "MIT" }, '"license"'],
  [{ engines: {} }, '"engines.node"'],
])("manifest with %j", (change, message) => {
  expect(manifestProblems({ ...MANIFEST, ...change })).toEqual([expect.stringContaining(message)]);
});

test("a lock file has hashes, and names no host", () => {
  const integrity = "sha512-x";
  expect(lockfileProblems({ packages: { "": {}, "node_modules/a": { integrity } } })).toEqual([]);
  const resolved = "https://registry.example/a.tgz";
  expect(lockfileProblems({ packages: { "node_modules/a": { integrity, resolved } } })).toHaveLength(1);
  expect(lockfileProblems({ packages: { "node_modules/a": {} } })).toHaveLength(1);
  expect(lockfileProblems({})).toHaveLength(1);
});

test("a lock file has the builds for all platforms, although not always their hashes", () => {
  const tool = { integrity: "sha512-x", optionalDependencies: { "tool-darwin": "1.0.0" } };
  const build = { optional: true, os: ["darwin"] };
  expect(lockfileProblems({ packages: { "node_modules/tool": tool, "node_modules/tool-darwin": build } })).toEqual([]);
  expect(lockfileProblems({ packages: { "node_modules/tool": tool } })).toEqual([
    "package-lock.json: tool-darwin, optional for node_modules/tool, is not locked",
  ]);
});

test(".npmrc leaves hosts out of the lock file, and names none itself", () => {
  expect(npmrcProblems("omit-lockfile-registry-resolved=true\nfund=false\n")).toEqual([]);
  expect(npmrcProblems("fund=false\n")).toHaveLength(1);
  const ours = "omit-lockfile-registry-resolved=true\n";
  expect(npmrcProblems(`${ours}registry=https://registry.example/\n`)).toHaveLength(1);
  expect(npmrcProblems(`${ours}//registry.example/:_authToken=secret\n`)).toEqual([
    expect.not.stringContaining("secret"),
  ]);
});
