import { expect } from "vitest";
import { findings } from "./support/axe.ts";
import { it, newPage, newTenant, rowsOf, sendStep, signIn, useBrowser, VIEWER } from "./support/browser.ts";

useBrowser();

const DOCS = VIEWER.replace(/view$/, "docs");

it.each([1280, 390])(
  "axe finds nothing on /docs at %i px, also in an operation that is tried",
  async (width) => {
    const page = await newPage({ viewer: DOCS, viewport: { width, height: 800 }, bypassCSP: true });
    await page.locator(".opblock").first().waitFor();
    expect(await findings(page)).toEqual([]);
    await page.locator(".opblock-post .opblock-summary-control").first().click();
    await page.locator(".opblock-body textarea").waitFor();
    expect(await findings(page)).toEqual([]);
  },
);

it("/docs leads to the viewer", async () => {
  const client = await newTenant();
  await sendStep(client, "seen");
  const page = await newPage({ viewer: DOCS });
  await page.getByRole("link", { name: "The viewer" }).click();
  await signIn(page, client.token);
  await expect.poll(() => rowsOf(page).count()).toBe(1);
});
