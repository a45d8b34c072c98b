import { expect } from "vitest";
import {
  go,
  it,
  newPage,
  newTenant,
  rowsOf,
  sendStep,
  setHidden,
  signIn,
  useBrowser,
} from "./support/browser.ts";

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

const READS = [
  { at: "#/search", path: /\/steps\/query$/, there: ".list-search .space > .row" },
  { at: "#/logs?namespace=shop", path: /\/logs\/query$/, there: ".list-logs .space > .row" },
  { at: "#/usage", path: /\/usage\?/, there: ".usage-table tbody tr" },
];

it.each(READS)(
  "$at shows 429, 503 and a cut connection, and recovers by itself",
  async ({ at, path, there }) => {
    const client = await newTenant();
    await sendStep(client, "there");
    const logs = [{ namespace: "shop", level: "info", message: "calm" }];
    expect(await client.post("/v1/logs/upload", { logs })).toMatchObject({ status: 200 });
    const page = await newPage({ token: client.token, provokes: [429, 503, 0] });
    await page.getByText("1 of 1").waitFor();
    for (const status of [429, 503, 0]) {
      await page.route(path, (route) => {
        if (status === 0) return route.abort();
        const json = { error: { code: "not_now", message: `Not now: ${status}.`, request_id: "request-7" } };
        return route.fulfill({ status, headers: { "Retry-After": "1" }, json });
      });
      await go(page, at);
      const problem = page.getByRole("alert");
      await problem.getByText(status === 0 ? "The API cannot be reached." : `Not now: ${status}.`).waitFor();
      expect(await problem.textContent()).toMatch(/Tries again in \d s/);
      await page.unroute(path);
      await page.locator(there).first().waitFor({ timeout: 10_000 });
      expect(await problem.count()).toBe(0);
      await go(page, "#/settings");
      await page.getByRole("heading", { name: "Settings" }).waitFor();
    }
  },
);

it.each(READS)(
  "$at leads to the sign-in when the token is refused, and back",
  async ({ at, path, there }) => {
    const client = await newTenant();
    await sendStep(client, "there");
    const logs = [{ namespace: "shop", level: "info", message: "calm" }];
    expect(await client.post("/v1/logs/upload", { logs })).toMatchObject({ status: 200 });
    const page = await newPage({ token: client.token, provokes: [401] });
    await page.getByText("1 of 1").waitFor();
    const error = { code: "invalid_token", message: "This token was revoked.", request_id: "request-7" };
    await page.route(path, (route) => route.fulfill({ status: 401, json: { error } }));
    await go(page, at);
    await page.getByText("This token was revoked.").waitFor();
    await page.unroute(path);
    await signIn(page, client.token);
    await page.locator(there).first().waitFor();
    expect(page.url()).toContain(at);
  },
);

it("what could not be read is not asked for again until the tab is looked at", async () => {
  const client = await newTenant();
  await sendStep(client, "there");
  const page = await newPage({ token: client.token, provokes: [503] });
  await page.getByText("1 of 1").waitFor();
  let asked = 0;
  await page.route(/\/usage\?/, (route) => {
    asked += 1;
    const json = { error: { code: "not_now", message: "Not now.", request_id: "request-7" } };
    return asked === 1
      ? route.fulfill({ status: 503, headers: { "Retry-After": "1" }, json })
      : route.continue();
  });
  await go(page, "#/usage");
  await page.getByText("Not now.").waitFor();
  await setHidden(page, true);
  await page.waitForTimeout(2_500);
  expect(asked).toBe(1);
  await setHidden(page, false);
  await page.locator(".usage-table tbody tr").waitFor();
  expect(asked).toBe(2);
});

it.each([
  ["#/traces", "No traces yet"],
  ["#/search", "Nothing to search yet"],
])("%s of an empty tenant shows what sends its first step, and then that it came", async (at, said) => {
  const client = await newTenant();
  const page = await newPage({ token: client.token, at });
  await page.getByRole("heading", { name: said }).waitFor();
  const code = await page.locator("pre").first().textContent();
  expect(code).toContain(`curl -X POST '${new URL(page.url()).origin}/v1/traces/llm'`);
  await sendStep(client, "first");
  await page.getByRole("button", { name: "1 new" }).click({ timeout: 20_000 });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
});

it.each([
  ["#/logs", "No logs yet"],
  ["#/usage", "Nothing was used"],
])("%s of an empty tenant says that there is nothing", async (at, said) => {
  const page = await newPage({ token: (await newTenant()).token, at });
  await page.getByRole("heading", { name: said }).waitFor();
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
