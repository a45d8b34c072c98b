import { defineConfig } from "vitest/config";

/** `npm run test:clients`: one client after the other. */
export default defineConfig({
  test: {
    include: ["test/clients/*/*.client.ts"],
    globalSetup: ["test/clients/support/stack.ts"],
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 90_000,
  },
});
