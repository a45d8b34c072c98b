import { expect } from "vitest";
import { go, it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

it("columns that are not wanted stay away, also after a reload; the limits are those of the answers", async () => {
  const client = await newTenant();
  await sendStep(client, "s-1");
  const page = await newPage({ token: client.token, at: "#/settings" });
  const left = page.locator(".limits tr").filter({ hasText: "view" });
  await left.getByText("300 a minute").waitFor();
  expect(Number(await left.locator("td").first().textContent())).toBeLessThan(300);
  await page.getByLabel("Cost").uncheck();
  await page.reload();
  await go(page, "#/sessions");
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(await page.getByRole("columnheader").allTextContents()).not.toContain("Cost");
  await go(page, "#/settings");
  await page.getByLabel("Cost").check();
  await go(page, "#/sessions");
  await page.getByRole("columnheader", { name: "Cost" }).waitFor();
});

it("prices are found by the model's name", async () => {
  const client = await newTenant();
  const prices = ["gpt-4o*", "claude-*", "gpt-5"].map((model) => ({ model, input: "1", output: "2" }));
  expect(await client.put("/v1/model-prices", { prices })).toMatchObject({ status: 200 });
  const page = await newPage({ token: client.token, at: "#/settings" });
  await page.getByText("Show prices").click();
  await page.getByText("3 of 3 prices").waitFor();
  await page.getByLabel("Model", { exact: true }).pressSequentially("GPT");
  await page.getByText("2 of 3 prices").waitFor();
  expect(await page.locator(".scroll tbody tr").count()).toBe(2);
});
