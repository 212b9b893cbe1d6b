import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Another client-node than the one that is installed: `npm run matrix` sets it. */
const clientNode = process.env["KUBE_INFORMERS_CLIENT_NODE"];
const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // The package by its own name, from source (tsconfig.json has the same table).
    alias: [
      { find: /^kube-informers$/, replacement: source("./index.ts") },
      { find: /^kube-informers\/codegen$/, replacement: source("./runtime/codegen.ts") },
      { find: /^kube-informers\/testing$/, replacement: source("./runtime/testing/index.ts") },
      { find: /^kube-informers\/(.+)$/, replacement: `${source("./generated")}/$1/index.ts` },
      ...(clientNode ? [{ find: /^@kubernetes\/client-node$/, replacement: `${clientNode}/dist/index.js` }] : []),
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/cluster/**", "**/node_modules/**"],
    // No test waits for time to pass: one that takes so long hangs, however busy the machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Programs that are started come up in milliseconds; on a busy machine some take seconds.
    expect: { poll: { timeout: 60_000 } },
  },
});
