/** The tests against a real API server: see test/cluster/support/global-setup.ts. */
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  resolve: base.resolve ?? {},
  test: {
    include: ["test/cluster/**/*.test.ts"],
    globalSetup: ["test/cluster/support/global-setup.ts"],
    setupFiles: ["test/cluster/support/no-warnings.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of the time is spent waiting: for servers to start, and for pauses between attempts to pass.
    maxWorkers: 3,
    // In somebody's cluster one thing at a time: what one file creates must not surprise another.
    fileParallelism: process.env["KUBE_INFORMERS_TEST_KUBECONFIG"] === undefined,
  },
});
