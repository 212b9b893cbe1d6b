/** The tests against a real API server: see test/cluster/support/global-setup.ts. */
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  resolve: base.resolve ?? {},
  test: {
    include: ["test/cluster/**/*.test.ts"],
    globalSetup: ["test/cluster/support/global-setup.ts"],
    setupFiles: ["test/cluster/support/no-warnings.ts"],
    // Longer than the deadlines within, so that a test says what it waited for.
    testTimeout: 240_000,
    hookTimeout: 60_000,
    // Most conditions come true in milliseconds; on a busy machine some take seconds.
    expect: { poll: { timeout: 30_000 } },
    // Most of the time is spent waiting: for servers to start, and for pauses between attempts to pass.
    maxWorkers: 3,
    // In somebody's cluster one thing at a time: what one file creates must not surprise another.
    fileParallelism: process.env["KUBE_INFORMERS_TEST_KUBECONFIG"] === undefined,
  },
});
