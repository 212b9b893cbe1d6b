/**
 * `npm run conformance:record [-- PART_OF_A_NAME]`: runs the conformance scripts with client-go and keeps what it did, in
 * test/conformance/recordings. `-- --rates` keeps nothing: it counts what client-go and ours ask of a server that ends each watch
 * after one event. Needs Go; the first build takes a minute or two.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SCRIPTS } from "../test/conformance/scripts.js";
import { clientGo } from "../test/conformance/support/client-go.js";
import { ours } from "../test/conformance/support/ours.js";
import { keepRecording } from "../test/conformance/support/recordings.js";
import { runScript } from "../test/conformance/support/run.js";
import type { InformerSetup, Script } from "../test/conformance/support/script.js";
import type { ScriptServer } from "../test/conformance/support/server.js";
import { handler, pass, start } from "../test/conformance/support/steps.js";
import { isEntryPoint, must, projectRoot, report } from "./support/command.js";
import { terminalProgress } from "./support/progress.js";

/** client-go waits in real time: many at once cost little. */
const AT_ONCE = 12;

/** Of a real time of client-go's, and a virtual one of ours. */
const RATES_MS = 6_000;
const FLAPPING: Script = {
  name: "each watch ends after one event",
  server: { flapping: true, streaming: false },
  steps: [handler(), start, pass(RATES_MS)],
};

async function main(part = ""): Promise<void> {
  const progress = terminalProgress();
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  try {
    const program = join(folder, "client-go");
    progress.step("building client-go's informer");
    const cwd = join(projectRoot, "test/conformance/client-go");
    await must("go", ["build", "-mod=readonly", "-buildvcs=false", "-o", program, "."], cwd);
    if (part === "--rates") return await rates(program);
    const scripts = SCRIPTS.filter(({ name }) => name.includes(part));
    const waiting = [...scripts];
    const problems: string[] = [];
    let done = 0;
    const work = async () => {
      for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) {
        const recorded = await runScript(script, (server, setup) => clientGo(program, server, setup)).catch(
          (error: Error) => error,
        );
        if (recorded instanceof Error) problems.push(`${script.name}: ${recorded.message}`);
        else keepRecording(script, recorded);
        progress.status(`${++done} of ${scripts.length} scripts`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    report(problems, `${scripts.length} scripts recorded`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rates(program: string): Promise<void> {
  const subjects = {
    "client-go": (server: ScriptServer, setup: InformerSetup) => clientGo(program, server, setup),
    "kube-informers": (server: ScriptServer, setup: InformerSetup) => ours(server, setup, "DeltaFIFO"),
  };
  console.log(`${FLAPPING.name}: requests in ${RATES_MS / 1000} s`);
  for (const [name, subject] of Object.entries(subjects)) {
    const { requests } = await runScript(FLAPPING, subject);
    console.log(`  ${name.padEnd(16)} ${requests.length}`);
  }
}

if (isEntryPoint(import.meta.url)) await main(process.argv[2]);
