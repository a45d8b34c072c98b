import { expect, it } from "vitest";
import { Command } from "../support/dev.ts";

it("npm run bundle says what it measures and in what unit, and does not take an option for something else", async () => {
  const run = (option: string) => new Command("npm", ["run", "--silent", "bundle", "--", option]).ended;
  const [helped, mistaken] = await Promise.all([run("--help"), run("--fast")]);
  expect([helped.code, helped.stdout]).toEqual([0, expect.stringMatching(/size in KiB[\s\S]+milliseconds/)]);
  expect([mistaken.code, mistaken.stdout]).toEqual([1, ""]);
  expect(mistaken.stderr).toContain("Usage: npm run bundle");
});
