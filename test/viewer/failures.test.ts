import { expect } from "vitest";
import { it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

it.each([
  [429, { "Retry-After": "2" }, "rate_limit_exceeded"],
  [503, { "Retry-After": "2" }, "internal_error"],
])("%i says so, counts down, and recovers", async (status, headers, code) => {
  const client = await newTenant();
  await sendStep(client, "there");
  const page = await newPage({ provokes: [status] });
  let isBroken = true;
  await page.route(/\/sessions(\?|$)/, (route) => {
    if (!isBroken) return route.continue();
    const error = { code, message: "Not now.", request_id: "request-7" };
    return route.fulfill({ status, headers, json: { error } });
  });
  await page.getByLabel("Tracer token").fill(client.token);
  await page.keyboard.press("Enter");
  const problem = page.getByRole("alert");
  await problem.getByText("Not now.").waitFor();
  expect(await problem.textContent()).toContain(`${status} · ${code} · request request-7`);
  expect(await problem.textContent()).toMatch(/Tries again in \d s/);
  isBroken = false;
  await expect.poll(() => rowsOf(page).count(), { timeout: 10_000 }).toBe(1);
  expect(await problem.count()).toBe(0);
});

it("a cut connection leaves what is there, and the next read recovers", async () => {
  const client = await newTenant();
  await sendStep(client, "there");
  const page = await newPage({ token: client.token, provokes: [0] });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await page.context().setOffline(true);
  await page.getByLabel("Status").selectOption("ok");
  await page.getByText("The API cannot be reached.").waitFor();
  await page.context().setOffline(false);
  await expect.poll(() => page.getByRole("alert").count(), { timeout: 15_000 }).toBe(0);
  await expect.poll(() => rowsOf(page).count()).toBe(1);
});

it("an empty tenant sees what sends its first step, and sees the session without reloading", async () => {
  const client = await newTenant();
  const page = await newPage({ token: client.token });
  await page.getByText("No sessions yet").waitFor();
  const code = await page.locator("pre").allTextContents();
  expect(code.map((text) => text.includes(`${new URL(page.url()).origin}/v1/traces/llm`))).toEqual([
    true,
    true,
    true,
  ]);
  await sendStep(client, "first");
  await page.getByRole("button", { name: "1 new" }).click({ timeout: 20_000 });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
});
