import { defineConfig } from "vitest/config";

/** `npm run test:viewer`: the viewer in a real Chromium. `npm test` needs none. */
export default defineConfig({
  test: {
    include: ["test/viewer/**/*.test.ts"],
    globalSetup: ["test/viewer/support/stack.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
