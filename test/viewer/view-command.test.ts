import { expect, inject, onTestFinished } from "vitest";
import { Command } from "../support/dev.ts";
import { it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

it("npm run view shows an API from one's own machine, and may ask that one alone", async () => {
  const client = await newTenant();
  await sendStep(client, "elsewhere");
  const command = new Command("npm", ["run", "--silent", "view", "--", inject("apiUrl")], { PORT: "0" });
  onTestFinished(async () => {
    command.signalGroup("SIGINT");
    await command.ended;
  });
  const [viewer] = await command.says(/http:\/\/127\.0\.0\.1:\d+\/$/m);
  const policy = (await fetch(viewer)).headers.get("content-security-policy");
  expect(policy).toContain(`; connect-src ${new URL(inject("apiUrl")).origin};`);
  const page = await newPage({ viewer, token: client.token });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(page.url()).toBe(`${viewer}#/sessions`);
});
