import { defineConfig } from "vitest/config";

/** `vitest run --mode long` has more cases of each property. */
export default defineConfig(({ mode }) => {
  const isLong = mode === "long";
  return {
    test: {
      include: ["test/**/*.test.ts"],
      exclude: ["test/viewer/**"],
      env: isLong ? { LONG_TESTS: "1" } : {},
      globalSetup: ["test/support/stack.ts"],
      // What requests that are meant to fail write into the log is shown where a test fails.
      silent: "passed-only",
      testTimeout: isLong ? 30 * 60_000 : 20_000,
      hookTimeout: 60_000,
    },
  };
});
