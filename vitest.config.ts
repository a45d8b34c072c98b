import { configDefaults, defineConfig } from "vitest/config";

/** `vitest run --mode long` has more cases of each property, and the tests that take minutes. */
export default defineConfig(({ mode }) => {
  const isLong = mode === "long";
  return {
    test: {
      include: ["test/**/*.test.ts"],
      exclude: [...configDefaults.exclude, ...(isLong ? [] : ["test/long/**"])],
      env: isLong ? { LONG_TESTS: "1" } : {},
      globalSetup: ["test/support/stack.ts"],
      testTimeout: isLong ? 30 * 60_000 : 20_000,
      hookTimeout: 60_000,
    },
  };
});
