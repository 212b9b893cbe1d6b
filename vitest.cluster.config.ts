/** The tests against a real API server: see test/cluster/support/global-setup.ts. */
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  resolve: base.resolve ?? {},
  test: {
    include: ["test/cluster/**/*.test.ts"],
    globalSetup: ["test/cluster/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A cluster takes a core of its own, and some files start one more.
    maxWorkers: 2,
  },
});
