/** Ours against what client-go did by the same scripts: `npm run conformance:record` records it. */
import { describe, expect, it } from "vitest";
import { SCRIPTS } from "./scripts.js";
import { ours } from "./support/ours.js";
import { recordingOf } from "./support/recordings.js";
import { runScript } from "./support/run.js";

describe.each(["DeltaFIFO", "RealFIFO"] as const)("as client-go does, with a %s:", (queue) => {
  it.each(SCRIPTS)("$name", async (script) => {
    const recorded = recordingOf(script);
    if (recorded === undefined) throw new Error(`not recorded: npm run conformance:record -- "${script.name}"`);
    let expected = recorded;
    for (const { rule, ours: change } of script.differs ?? []) {
      const changed = change(expected);
      expect(changed, `${rule} is a difference`).not.toEqual(expected);
      expected = changed;
    }
    expect(await runScript(script, (server, setup) => ours(server, setup, queue))).toEqual(expected);
  });
});
