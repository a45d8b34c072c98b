import { expect, it } from "vitest";
import { commandsOf, expectKnown } from "../support/guides.ts";

it("the Supabase CLI knows the guides' commands and all their options", async () => {
  const commands = commandsOf("supabase");
  expect(new Set(commands).size).toBeGreaterThan(4);
  await expectKnown(commands, "npm run --silent supabase --");
});
