import { defineConfig } from "vitest/config";

/** `npm run test:deployment`: what wants the Supabase CLI, which is fetched for it. `npm test` needs none. */
export default defineConfig({
  test: {
    include: ["test/deployment/**/*.cli.ts"],
    globalSetup: ["test/support/stack.ts"],
    silent: "passed-only",
    testTimeout: 60_000,
    hookTimeout: 5 * 60_000,
  },
});
