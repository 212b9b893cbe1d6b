/** Ours against what client-go did by the same scripts: `npm run conformance:record` records it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DIFFERENCES } from "./differences.js";
import { SCRIPTS } from "./scripts.js";
import { missingOf, seenOf } from "./shows.js";
import { ours } from "./support/ours.js";
import { recordingOf } from "./support/recordings.js";
import { runScript } from "./support/run.js";
import type { Outcome, Script } from "./support/script.js";

const NAMED = SCRIPTS.map((script) => [script.name, script] as const);

function recorded(script: Script): Outcome {
  const outcome = recordingOf(script);
  if (outcome === undefined) throw new Error(`not recorded: npm run conformance:record -- "${script.name}"`);
  return outcome;
}

/** What ours is to do: what client-go did, but for the differences on purpose. */
function expectedOf(script: Script): Outcome {
  let expected = recorded(script);
  for (const { rule, ours: change } of script.differs ?? []) {
    const changed = change(expected);
    expect(changed, `${rule} is a difference`).not.toEqual(expected);
    expected = changed;
  }
  return expected;
}

describe.each(["DeltaFIFO", "RealFIFO"] as const)("as client-go does, with a %s:", (queue) => {
  it.each(NAMED)("%s", async (_, script) => {
    expect(await runScript(script, (server, setup) => ours(server, setup, queue))).toEqual(expectedOf(script));
  });
});

describe("a script", () => {
  it.each(NAMED)("shows what its name says: %s", (_, script) => {
    expect(missingOf(script.name, seenOf(recorded(script), expectedOf(script)))).toEqual([]);
  });

  it("that shows nothing is noticed", () => {
    const nothing = { requests: [], handlers: { h: [] }, synced: true, handlersSynced: {}, store: [] };
    const empty = SCRIPTS.filter(({ name }) => missingOf(name, seenOf(nothing)).length === 0).map(({ name }) => name);
    expect(
      empty.every((name) => /empty|without an object|everything went/.test(name)),
      empty.join(),
    ).toBe(true);
    expect(missingOf("a name that says nothing", seenOf(nothing))).toEqual(["a rule for its name"]);
  });
});

describe("a difference on purpose", () => {
  const rules = readFileSync(new URL("../../runtime/SPEC.md", import.meta.url), "utf8");
  const differences = new Set(Object.values(DIFFERENCES).flat());

  it.each([...differences])("is that of rule $rule: $why", ({ rule }) => {
    const line = rules.split("\n").find((text) => text.startsWith(`| ${rule} |`));
    expect(line).toContain("**differs**");
  });

  it("is of a script that is there", () => {
    const names = new Set(SCRIPTS.map(({ name }) => name));
    expect(Object.keys(DIFFERENCES).filter((name) => !names.has(name))).toEqual([]);
  });
});
