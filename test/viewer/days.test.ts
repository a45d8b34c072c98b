import type { Request } from "playwright-core";
import { expect } from "vitest";
import { go, it, newPage, newTenant, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

const DAY = "start_date=2026-11-20&end_date=2026-11-20";

it.each([
  { at: "#/sessions", path: /\/sessions\?/ },
  { at: "#/traces", path: /\/traces\?/ },
  { at: "#/search", path: /\/steps\/query$/ },
  { at: "#/logs", path: /\/logs\/query$/ },
])("a day of $at begins and ends where the browser's does", async ({ at, path }) => {
  const client = await newTenant();
  await sendStep(client, "s-1");
  const page = await newPage({ token: client.token, timezoneId: "America/Recife" });
  await page.getByText("1 of 1").waitFor();
  const isAsked = (request: Request) => path.test(request.url()) && datesOf(request).start !== undefined;
  const [request] = await Promise.all([
    page.waitForRequest(isAsked),
    go(page, `${at}?namespace=shop&${DAY}`),
  ]);
  expect(datesOf(request)).toEqual({ start: "2026-11-20T03:00:00.000Z", end: "2026-11-21T02:59:59.999Z" });
  expect((await request.response())?.status()).toBe(200);
  expect(await page.getByLabel("From").inputValue()).toBe("2026-11-20");
});

function datesOf(request: Request): { start?: string; end?: string } {
  const query = Object.fromEntries(new URL(request.url()).searchParams);
  const sent = request.postDataJSON();
  const { start_date: start, end_date: end } = sent?.query ?? sent ?? query;
  return { start, end };
}
