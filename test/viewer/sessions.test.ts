import { expect } from "vitest";
import { go, it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

it("what agents did is listed with its figures, and filters are in the address", async () => {
  const client = await newTenant();
  await sendStep(client, "good");
  await sendStep(client, "bad", {
    agent: "researcher",
    status: "error",
    error: { type: "t", message: "timeout" },
  });
  const page = await newPage({ token: client.token });
  await expect.poll(() => rowsOf(page).count()).toBe(2);
  expect(await page.locator(".list-footer").textContent()).toBe("2 of 2");
  const bad = rowsOf(page).filter({ hasText: "A question of bad" });
  expect(await bad.locator(".cell-errors").textContent()).toBe("1");

  await page.getByLabel("Status").selectOption("error");
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(page.url()).toContain("#/sessions?status=error");
  await page.getByLabel("Agent").fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove agent “nobody”" }).click();
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await page.goBack();
  await page.getByText("No session matches").waitFor();
  await page.goBack();
  await page.goBack();
  await expect.poll(() => rowsOf(page).count()).toBe(2);
  expect(await page.getByLabel("Status").inputValue()).toBe("");
});

it("back leads to the rows that were read, scrolled as they were", async () => {
  const client = await newTenant();
  const steps = Array.from({ length: 70 }, (_, index) => ({
    type: "llm",
    namespace: "shop",
    session_id: `session-${index}`,
    model: "gpt-4o",
    input: { messages: [] },
    output: { content: "" },
  }));
  const { body } = await client.post("/v1/traces/batch", { traces: steps });
  expect(body.failed).toBe(0);
  const page = await newPage({ token: client.token });
  await page.getByText("50 of 70").waitFor();
  await page.getByRole("button", { name: "Load more" }).click();
  await page.getByText("70 of 70").waitFor();
  expect(await rowsOf(page).count()).toBeLessThan(50);
  expect(await page.getByRole("grid").getAttribute("aria-rowcount")).toBe("71");

  await rowsOf(page).first().focus();
  await page.keyboard.press("End");
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex")))
    .toBe("71");
  const top = await page.locator(".rows").evaluate((element) => element.scrollTop);
  expect(top).toBeGreaterThan(1_000);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "← Sessions" }).waitFor();
  await page.goBack();
  await page.getByText("70 of 70").waitFor();
  expect(await page.locator(".rows").evaluate((element) => element.scrollTop)).toBe(top);
});

it("a session that comes while one reads waits for a click", async () => {
  const client = await newTenant();
  await sendStep(client, "first");
  const page = await newPage({ token: client.token });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await sendStep(client, "second");
  await sendStep(client, "first");
  const news = page.getByRole("button", { name: "1 new" });
  await news.waitFor({ timeout: 20_000 });
  await expect
    .poll(() => rowsOf(page).locator(".cell-steps").allTextContents(), { timeout: 20_000 })
    .toEqual(["2"]);
  await news.click();
  await expect.poll(() => rowsOf(page).count()).toBe(2);
});

it("hostile content runs nothing, and what cannot be seen shows as a mark", async () => {
  const client = await newTenant();
  const hostile = "<img src=x onerror=alert(1)> \u202Eevil\u001b[31m";
  await sendStep(client, "javascript:alert(1)", {
    agent: hostile,
    input: { messages: [{ role: "user", content: hostile }] },
  });
  await sendStep(client, "__proto__");
  const page = await newPage({ token: client.token });
  const row = rowsOf(page).filter({ hasText: "javascript:" });
  expect(await row.locator(".cell-agents").textContent()).toContain(
    "<img src=x onerror=alert(1)> U+202EevilU+001B[31m",
  );
  expect(await page.locator("img").count()).toBe(0);
  await row.getByRole("link").click();
  await page.getByRole("heading", { name: "javascript:alert(1)" }).waitFor();
  await go(page, "#/sessions/__proto__");
  await page.getByRole("heading", { name: "__proto__" }).waitFor();
  await go(page, "#/__proto__");
  await page.getByText("There is no such page").waitFor();
});
