// The last gate: nothing but imports, types, data and accessors is written.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { checkOutput, header } from "../../generator/check-output.js";
import { commentLines, literal, propertyKey, stringLiteral } from "../../generator/literals.js";
import { projectRoot, readTree } from "./support/project.js";

const check = (text: string) => checkOutput(new Map([["x.ts", `${header}\n${text}\n`]]));

describe("refused", () => {
  it.each([
    'import "./evil.js";',
    'import fs from "node:fs";',
    'import { x } from "../../../../etc/passwd";',
    'import { x } from "http://example.com/x.js";',
    'import { x } from "other-package";',
    'export * from "node:child_process";',
    "export default 1;",
    "console.log(1);",
    "export const x = evil();",
    "export const x = { get a() { return 1; } };",
    "export const x = { ...y };",
    'export const x = { ["a"]: 1 };',
    "export const x = `a`;",
    "export let x = 1;",
    "var x = 1;",
    "export function f() {}",
    "export enum E { A }",
    "namespace N { export const x = 1; }",
    "declare global { interface Window { x: 1 } }",
    "export interface X { [evil()]: 1 }",
    "export interface X { a(): void }",
    "export type X = typeof import('node:fs');",
    `export type X = \`a\${string}\`;`,
    "export class X { static { evil(); } }",
    "export class X { a = evil(); }",
    "export class X { a() { return evil(); } }",
    "export class X { a() { evil(); return new Y(this); } }",
    "export class X { constructor() { evil(); } }",
    "export class X { constructor(factory = evil()) { this.#factory = factory; } }",
    "export class X { constructor(@evil factory: F) { this.#factory = factory; } }",
    "export class X extends evil() {}",
    "@evil export class X {}",
    "export class X { @evil a(): Y { return new Y(this); } }",
    "export class X { a(): typeof import('node:fs') { return new Y(this); } }",
    "export class X { async a(): Y { return new Y(this); } }",
    "export class X { get a(): Y { return new Y(this); } }",
    "export class X { static #factory: F = evil(); }",
    "export const x: typeof import('node:fs') = {};",
    "export const x = {};",
    "export interface X extends Y {}",
    "export type X<T = Y> = T;",
    "import fs = require('node:fs');",
    "export = 1;",
    "export {};",
    "// @ts-nocheck",
    "// eslint-disable-next-line\nexport interface X {}",
    '/// <reference path="/etc/passwd" />',
    "/* @ts-ignore */\nexport interface X {}",
    "/** @ts-ignore */\nexport interface X {}",
    "export interface X {",
    "export interface X {} */",
    "await 1;",
    "if (true) {}",
    "new X();",
  ])("%s", async (text) => {
    await expect(check(text)).rejects.toMatchObject({
      code: "output",
      message: expect.stringMatching(/^x\.ts would hold /),
    });
  });

  it("a file without our header", async () => {
    await expect(checkOutput(new Map([["x.ts", "export interface X {}\n"]]))).rejects.toMatchObject({ code: "output" });
  });
});

it("accepted: everything that the repository holds as generated", async () => {
  for (const folder of ["generated", "examples/generated", "test/generator/golden/nasty"]) {
    const files = Object.entries(readTree(join(projectRoot, folder))).filter(([path]) => path.endsWith(".ts"));
    expect(files.length).toBeGreaterThan(5);
    await checkOutput(new Map(files));
  }
});

describe("the literal encoder", () => {
  const hostile = [
    "",
    "a",
    '"',
    "'",
    `"'`,
    "\\",
    '\\"',
    "\n",
    "\r\n",
    "*/",
    `\`\${x}\``,
    "\u2028",
    "\u0000",
    "\u202e",
    "\ufeff",
    "\ud800",
    "😀",
    "日本",
    "</script>",
    "__proto__",
    "$&",
    "\u007f",
  ];

  it.each(hostile)("writes %j as one literal that means the same", async (text) => {
    const code = stringLiteral(text);
    expect(code).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    await check(`export const x: string = ${code};\nexport interface X {\n  ${propertyKey(text)}?: ${code};\n}`);
    const [statement] = ts.createSourceFile("x.ts", `x = ${code};`, ts.ScriptTarget.Latest).statements;
    const assignment = (statement as ts.ExpressionStatement).expression as ts.BinaryExpression;
    expect((assignment.right as ts.StringLiteral).text).toBe(text);
  });

  it("writes numbers only if they are", () => {
    expect([1, -1, 1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY, true, null].map(literal)).toEqual([
      "1",
      "-1",
      "1.5",
      "1e21",
      "number",
      "number",
      "true",
      "null",
    ]);
  });

  it.each(hostile)("writes %j as a comment that ends where it should", async (text) => {
    const lines = commentLines(`@ts-ignore ${text}\n@ts-nocheck\n${text}`);
    await check(`/**\n${lines.map((line) => ` * ${line}`).join("\n")}\n */\nexport interface X {}`);
    await check(`/** ${lines.join(" ")} */\nexport interface X {}`);
  });

  it("keeps comments readable: long lines are broken, long texts cut", () => {
    const words = commentLines("word ".repeat(100));
    expect(Math.max(...words.map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(words.join(" ")).toBe("word ".repeat(100).trim());
    expect(commentLines("\n\n  a\n\nb\n\n")).toEqual(["  a", "", "b"]);
    expect(commentLines("x\n".repeat(1000))).toHaveLength(201);
  });
});

it("the templates print, loop and test; they neither escape nor compute", () => {
  const folder = join(projectRoot, "templates");
  for (const file of readdirSync(folder)) {
    const tags = readFileSync(join(folder, file), "utf8").match(/\{\{[^}]*\}\}+/g) ?? [];
    for (const tag of tags)
      expect(tag).toMatch(
        /^\{\{(?:[A-Za-z]+|@root\.[A-Za-z]+|> header|#(?:each|if) [A-Za-z]+|\/(?:each|if)|!--.*--)\}\}$/,
      );
  }
});
