import { expect } from "vitest";
import { it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

async function withLogs() {
  const client = await newTenant();
  await sendStep(client, "told");
  const logs = [
    { namespace: "shop", level: "info", message: "calm", session_id: "told" },
    { namespace: "shop", level: "error", message: "the disk is full", custom_object: { free: 0 } },
  ];
  expect(await client.post("/v1/logs/upload", { logs })).toMatchObject({ status: 200 });
  return client;
}

it("log entries are filtered by level, open in full, and lead to their step", async () => {
  const client = await withLogs();
  const page = await newPage({ token: client.token, at: "#/logs" });
  await page.getByText("2 of 2").waitFor();
  expect(page.url()).toContain("#/logs?namespace=shop");
  await page.getByLabel("Level").selectOption("error");
  await page.getByText("1 of 1").waitFor();
  await rowsOf(page).first().focus();
  await page.keyboard.press("Enter");
  const entry = page.getByRole("region", { name: "Log entry" });
  await entry.getByText('"free": 0').waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => entry.count()).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("row");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByText("2 of 2").waitFor();
  await rowsOf(page).getByRole("link", { name: "told" }).click();
  await page.getByRole("heading", { name: "told" }).waitFor();
  expect(page.url()).toMatch(/#\/sessions\/told\?step=[\da-f-]{36}$/);
});

it("a log entry that comes while one reads is counted", async () => {
  const client = await withLogs();
  const page = await newPage({ token: client.token, at: "#/logs" });
  await page.getByText("2 of 2").waitFor();
  await client.post("/v1/logs/upload", { logs: [{ namespace: "shop", level: "warn", message: "late" }] });
  await page.getByRole("button", { name: "1 new" }).click({ timeout: 20_000 });
  await page.getByText("3 of 3").waitFor();
});
