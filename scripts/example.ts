// npm run example NAME [-- flags]: runs one of examples/*.ts, or lists them.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../examples/", import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -".ts".length));
const [name = "", ...flags] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(
    `usage: npm run example NAME [-- --context NAME | --kubeconfig FILE] [--seconds N]\nNAME is one of: ${names.join(", ")}`,
  );
  process.exit(2);
}
const child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL(`${name}.ts`, folder)), ...flags], {
  stdio: "inherit",
});
// Ctrl-C reaches the example by itself; this process waits for it to end.
process.on("SIGINT", () => {});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 130);
});
