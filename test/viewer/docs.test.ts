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

it("/docs asks for the token in one field, says where it is from, and what is wrong with `Bearer tk_...` in it", async () => {
  const client = await newTenant();
  await sendStep(client, "seen");
  const page = await newPage({ viewer: DOCS, provokes: [401] });
  const dialog = page.locator(".dialog-ux");
  const authorize = async (token: string) => {
    await page.locator(".btn.authorize").first().click();
    await expect.poll(() => dialog.locator("input").count()).toBe(1);
    expect(await dialog.textContent()).toContain("npm run token -- create --tenant NAME");
    await dialog.locator("input").fill(token);
    await dialog.locator(".auth-btn-wrapper .authorize").click();
    await dialog.locator(".btn-done").click();
  };
  const operation = page.locator("#operations-Namespaces-listNamespaces");
  const execute = () => operation.locator(".execute").click();
  const answer = () => operation.locator(".live-responses-table .response .response-col_description");

  await authorize(`Bearer ${client.token}`);
  await operation.locator(".opblock-summary-control").click();
  await execute();
  await expect.poll(() => answer().textContent()).toContain("has `Bearer` twice");
  await page.locator(".btn.authorize").first().click();
  await dialog.getByRole("button", { name: "Remove authorization" }).click();
  await dialog.locator(".btn-done").click();
  await authorize(client.token);
  await execute();
  await expect.poll(() => answer().textContent()).toContain('"namespaces"');
});
