import { expect } from "vitest";
import { it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";
import { sendBatch } from "./support/runs.ts";

useBrowser();

it.each([
  ["Arabic", "أين حقيبتي الآن؟", "حقيبتي"],
  ["Chinese", "我的行李在哪里？", "行李"],
  ["emoji", "It was lost 🧳🔥 in Recife", "🧳🔥"],
])("%s is found, shown among its neighbours, and leads to its step", async (_name, said, asked) => {
  const client = await newTenant();
  await sendStep(client, "found", { input: { messages: [{ role: "user", content: said }] } });
  await sendStep(client, "other");
  const page = await newPage({ token: client.token, at: "#/search" });
  await expect.poll(() => rowsOf(page).count()).toBe(2);
  await page.getByLabel("Text").fill(asked);
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(new URLSearchParams(new URL(page.url()).hash.split("?")[1]).get("text")).toBe(asked);
  expect(await page.locator("mark").textContent()).toBe(asked);
  const { body } = await client.get("/v1/sessions/found/steps");
  await rowsOf(page).getByRole("link").click();
  await page.getByRole("heading", { name: "found" }).waitFor();
  expect(page.url()).toContain(`#/sessions/found?step=${body.steps[0].id}`);
  await page.goBack();
  await expect.poll(() => page.locator("mark").textContent()).toBe(asked);
});

it("every filter reaches the API, and what it refuses is shown in its words", async () => {
  const client = await newTenant();
  await sendStep(client, "slow", { latency_ms: 5000, user_id: "u-1" });
  await sendStep(client, "fast", { latency_ms: 20 });
  const page = await newPage({ token: client.token, at: "#/search?min_duration_ms=1000", provokes: [400] });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await page.getByRole("combobox", { name: "Agent" }).fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove agent “nobody”" }).click();
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await page.evaluate(() => {
    location.hash = "#/search?type=nonsense";
  });
  await page.getByRole("alert").getByText("type").waitFor();
});

it("back leads to the filters and the steps that were read, scrolled as they were, and forward to the step", async () => {
  const client = await newTenant();
  await sendBatch(
    client,
    "many",
    Array.from({ length: 90 }, () => ({})),
  );
  await sendStep(client, "other", { agent: "writer" });
  const page = await newPage({ token: client.token, at: "#/search?agent=planner" });
  await page.getByText("50", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Load more" }).click();
  await page.getByText("90", { exact: true }).waitFor();
  await rowsOf(page).first().focus();
  await page.keyboard.press("End");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex"));
  await expect.poll(focused).toBe("91");
  const topOf = () => page.locator(".rows").evaluate(({ scrollTop }) => scrollTop);
  const top = await topOf();
  expect(top).toBeGreaterThan(1_000);
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: "Step" }).waitFor();
  const there = page.url();

  await page.goBack();
  await page.getByText("90", { exact: true }).waitFor();
  expect(await topOf()).toBe(top);
  expect(await page.getByRole("combobox", { name: "Agent" }).inputValue()).toBe("planner");
  await page.goForward();
  await page.getByRole("complementary", { name: "Step" }).waitFor();
  expect(page.url()).toBe(there);
});

it("where a search ends before it has seen everything it says how far back it was, and goes on", async () => {
  const client = await newTenant();
  await sendStep(client, "far");
  const page = await newPage({ token: client.token });
  const asked: unknown[] = [];
  await page.route(/\/steps\/query$/, async (route) => {
    const { query } = route.request().postDataJSON();
    asked.push(query.cursor);
    if (query.cursor) return route.continue({ postData: JSON.stringify({ query: { text: query.text } }) });
    const json = { steps: [], next_cursor: "further", searched_until: "2026-11-20T14:03:00Z" };
    return route.fulfill({ json });
  });
  await page.evaluate(() => {
    location.hash = "#/search?text=question";
  });
  await page.getByText("Nothing yet. Searched back to").waitFor();
  expect(await page.locator("time").getAttribute("datetime")).toBe("2026-11-20T14:03:00Z");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(asked).toContain("further");
  expect(await page.getByText("Searched back to").count()).toBe(0);
});

it("what comes while one types waits; afterwards it is counted", async () => {
  const client = await newTenant();
  await sendStep(client, "first");
  const page = await newPage({ token: client.token, at: "#/search" });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  const asked: string[] = [];
  page.on("request", (request) => request.url().endsWith("/steps/query") && asked.push(request.url()));
  await page.getByLabel("Text").pressSequentially("que");
  asked.length = 0;
  await page.waitForTimeout(4_500);
  expect(asked).toEqual([]);
  await page.keyboard.press("Enter");
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await sendStep(client, "second");
  await page.getByRole("heading", { name: "Search" }).click();
  await page.getByLabel("Status").focus();
  await page.getByRole("button", { name: "1 new" }).click({ timeout: 20_000 });
  await expect.poll(() => rowsOf(page).count()).toBe(2);
});
