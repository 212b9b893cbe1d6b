import { describe, expect, test } from "vitest";
import { importProblems } from "../../scripts/check-imports.js";

/** Each line is one file with one breach, and a part of what has to be said of it. */
const BREACHES: readonly [path: string, text: string, message: string][] = [
  [
    "runtime/util/clock.ts",
    'import "../api/keys.js";',
    "runtime/util may import its own folder; not runtime/api/keys.ts",
  ],
  ["runtime/api/keys.ts", 'import type { A } from "../cache/entry.js";', "not runtime/cache/entry.ts"],
  ["runtime/transport/a.ts", 'export * from "../cache/entry.js";', "not runtime/cache/entry.ts"],
  ["runtime/cache/a.ts", 'import { B } from "../informers/b.js";', "not runtime/informers/b.ts"],
  ["runtime/cache/a.ts", 'const b = await import("../informers/b.js");', "not runtime/informers/b.ts"],
  ["runtime/cache/a.ts", 'type B = import("../informers/b.js").B;', "not runtime/informers/b.ts"],
  ["runtime/cache/a.ts", 'import b = require("../informers/b.js");', "not runtime/informers/b.ts"],
  ["runtime/informers/a.ts", 'import { B } from "../testing/b.js";', "not runtime/testing/b.ts"],
  ["runtime/index.ts", 'export { B } from "./testing/b.js";', "not runtime/testing/b.ts"],
  ["runtime/testing/a.ts", 'import { B } from "../cache/b.js";', "not runtime/cache/b.ts"],
  ["runtime/testing/deep/a.ts", 'import { B } from "../../cache/b.js";', "not runtime/cache/b.ts"],
  ["runtime/cache/a.ts", 'import { B } from "../../generator/model.js";', "not generator/model.ts"],
  ["runtime/cache/a.ts", 'import { B } from "../../generated/factory.js";', "not generated/factory.ts"],
  ["runtime/cache/a.ts", 'import { B } from "kube-informers/codegen";', "imports itself by path"],
  ["runtime/cache/a.ts", 'import { KubeConfig } from "@kubernetes/client-node";', "no dependencies"],
  ["runtime/cache/a.ts", 'import type { KubeConfig } from "@kubernetes/client-node";', "no dependencies"],
  ["runtime/cache/a.ts", 'type K = import("@kubernetes/client-node").KubeConfig;', "no dependencies"],
  ["runtime/cache/a.ts", 'const lodash = await import("lodash");', "no dependencies"],
  [
    "runtime/cache/a.ts",
    'import { setTimeout as sleep } from "node:timers/promises";',
    "only runtime/util may use timers",
  ],
  ["runtime/transport/a.ts", 'import https from "node:https";', "is loaded with the first connection"],
  [
    "runtime/transport/a.ts",
    'import { connect, type TLSSocket } from "node:tls";',
    "is loaded with the first connection",
  ],
  ["runtime/novel/a.ts", "export {};", "runtime/novel is in no layer"],
  ["generator/cli.ts", 'import { B } from "../runtime/api/keys.js";', "not runtime/api/keys.ts"],
  ["generator/load/a.ts", 'import { B } from "../../generated/factory.js";', "not generated/factory.ts"],
  ["generator/load/a.ts", 'import { B } from "kube-informers";', "not index.ts"],
  ["generated/core/v1/pod.ts", 'import type { B } from "../../../runtime/cache/b.js";', "not runtime/cache/b.ts"],
  ["generated/core/v1/pod.ts", 'import { B } from "kube-informers";', "not index.ts"],
  ["generated/core/v1/pod.ts", 'import { readFileSync } from "node:fs";', "only kube-informers/codegen"],
  ["examples/generated/a.ts", 'import { B } from "left-pad";', "only kube-informers/codegen"],
  ["runtime/cache/a.ts", "console.log(1);", "console"],
  ["runtime/cache/a.ts", "const print = console.log;", "console"],
  ["runtime/cache/a.ts", "setTimeout(() => {}, 1);", "setTimeout"],
  ["runtime/testing/a.ts", "globalThis.setInterval(() => {}, 1);", "setInterval"],
  ["runtime/cache/a.ts", "const t = Date.now();", "Date.now"],
  ["runtime/cache/a.ts", "const clock = { now: Date.now };", "Date.now"],
  ["runtime/cache/a.ts", "const t = new Date();", "new Date()"],
  ["runtime/cache/a.ts", "const t = performance.now();", "performance.now"],
  ["runtime/cache/a.ts", "const t = globalThis.performance.now();", "performance.now"],
  ["runtime/cache/a.ts", "const r = Math.random();", "Math.random"],
  ["runtime/cache/a.ts", "const s = AbortSignal.any([]);", "AbortSignal.any"],
  ["runtime/cache/a.ts", "const s = AbortSignal.timeout(1);", "AbortSignal.timeout"],
];

const ALLOWED: readonly [path: string, text: string][] = [
  ["runtime/informers/a.ts", 'import { B } from "../cache/b.js";\nimport { C } from "../util/c.js";'],
  ["runtime/cache/a.ts", 'import { B } from "./b.js";\nimport type { C } from "../transport/c.js";'],
  ["runtime/cache/a.ts", 'import { channel } from "node:diagnostics_channel";'],
  ["runtime/transport/a.ts", 'import type { TLSSocket } from "node:tls";'],
  ["runtime/testing/a.ts", 'import https from "node:https";'],
  ["runtime/cache/a.ts", 'const { KubeConfig } = await import("@kubernetes/client-node");'],
  [
    "runtime/cache/a.ts",
    "options.console.setTimeout(); const o = { setTimeout: 1 }; interface T { setInterval: number }",
  ],
  ["runtime/cache/a.ts", "// console.log(Date.now())\nconst text = 'setTimeout Math.random()';"],
  ["runtime/cache/a.ts", "const t = new Date(0); const d = Date.parse(text); const m = Math.max(1, 2);"],
  ["runtime/util/clock.ts", 'setTimeout(() => {}, Date.now()); import "node:timers/promises";'],
  ["runtime/testing/index.ts", 'export { A } from "../transport/a.js"; export { B } from "../util/clock.js";'],
  ["runtime/codegen.ts", 'export type { A } from "./cache/a.js"; export { B } from "./informers/b.js";'],
  ["generated/core/v1/pod.ts", 'import type { A } from "kube-informers/codegen"; import { B } from "../../b.js";'],
  [
    "generator/cli.ts",
    'import { Command } from "commander"; import { B } from "./load/b.js"; console.log(Date.now());',
  ],
  ["scripts/a.ts", 'import { B } from "../runtime/cache/b.js"; console.log(1);'],
  ["index.ts", 'export * from "./runtime/index.js"; export { F } from "./generated/factory.js";'],
];

describe("import rules", () => {
  test.each(BREACHES)("%s: %s", (path, text, message) => {
    const problems = importProblems(path, text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${path}:1:`);
    expect(problems[0]).toContain(message);
  });

  test.each(ALLOWED)("allowed in %s: %s", (path, text) => {
    expect(importProblems(path, text)).toEqual([]);
  });

  test("a breach is named with its line and column", () => {
    expect(importProblems("runtime/cache/a.ts", "// one\n  const now = Date.now();")[0]).toMatch(
      /^runtime\/cache\/a\.ts:2:15 /,
    );
  });
});
