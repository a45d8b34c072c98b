import { expect } from "vitest";
import { go, it, newPage, newTenant, rowsOf, useBrowser } from "./support/browser.ts";
import { sendBatch, sendLongRun } from "./support/runs.ts";

useBrowser();

const START = Date.parse("2026-11-21T10:00:00Z");
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

it("a two-hour gap folds and unfolds, and the last bar is within the view", async () => {
  const client = await newTenant();
  await sendBatch(client, "gap", [
    { started_at: at(0), latency_ms: 2_000 },
    { started_at: at(3), latency_ms: 2_000 },
    { started_at: at(7_205), latency_ms: 1_000 },
  ]);
  const page = await newPage({ token: client.token, at: "#/sessions/gap?view=timeline" });
  const gap = page.getByRole("button", { name: "Nothing happened for 2 h 0 min" });
  await gap.waitFor();
  const lastBar = () => page.locator(".span-tool_call").last();
  const widths = [];
  for (const isOpen of ["false", "true", "false"]) {
    expect(await gap.getAttribute("aria-expanded")).toBe(isOpen);
    const bar = await lastBar().boundingBox();
    const track = await page.locator(".axis .track").boundingBox();
    expect((bar?.x ?? 0) + (bar?.width ?? 0)).toBeLessThanOrEqual((track?.x ?? 0) + (track?.width ?? 0) + 1);
    widths.push(bar?.width ?? 0);
    await gap.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => gap.getAttribute("aria-expanded")).not.toBe(isOpen);
  }
  expect(widths[0]).toBeGreaterThan(50);
  expect(widths[1]).toBeLessThan(10);
  expect(page.url()).toContain("gaps=0");
});

it("a batch without timestamps keeps its order and says that times are not told", async () => {
  const client = await newTenant();
  const names = Array.from({ length: 8 }, (_, index) => `tool_${index}`);
  await sendBatch(
    client,
    "untold",
    names.map((tool_name, index) => ({ tool_name, latency_ms: index * 100 })),
  );
  const page = await newPage({ token: client.token, at: "#/sessions/untold?view=timeline" });
  await page.getByText("time not told: 8 steps, in their order").waitFor();
  const bars = page.locator(".span.untold");
  await expect.poll(() => bars.count()).toBe(8);
  const lefts = await bars.evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().left));
  expect(lefts).toEqual(lefts.toSorted((one, other) => one - other));
  expect(new Set(lefts).size).toBe(8);
  expect(await rowsOf(page).locator(".cell-name").allTextContents()).toEqual([
    expect.stringContaining("planner"),
    ...names.map((name) => expect.stringContaining(name)),
  ]);
});

it("zooming is in the address, by keys and by the wheel, and a link shows the same", async () => {
  const client = await newTenant();
  await sendBatch(
    client,
    "zoomed",
    Array.from({ length: 20 }, (_, index) => ({ started_at: at(index), latency_ms: 900 })),
  );
  const page = await newPage({ token: client.token, at: "#/sessions/zoomed?view=timeline" });
  await rowsOf(page).first().focus();
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect.poll(() => page.url()).toContain("zoom=4");
  const slider = page.getByRole("slider", { name: "Part of the run that is shown" });
  await slider.focus();
  await page.keyboard.press("End");
  await expect.poll(() => page.url()).toContain("at=0.75");
  const shown = await page.locator(".tick").allTextContents();
  await page.reload();
  await slider.waitFor();
  await expect.poll(() => page.locator(".tick").allTextContents()).toEqual(shown);
  await page.locator(".axis .track").hover();
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, 200);
  await page.keyboard.up("Control");
  await expect.poll(() => page.url()).toContain("zoom=2");

  await slider.focus();
  await page.keyboard.press("End");
  await expect.poll(() => page.url()).toContain("at=0.5");
  await rowsOf(page).nth(1).click();
  await expect.poll(() => page.url()).toContain("at=0.0000");
});

it("a failed step shows in timeline and tree, by more than its colour, and so does the branch it is in", async () => {
  const client = await newTenant();
  await sendBatch(client, "failed", [
    { started_at: at(0), latency_ms: 500, status: "ok" },
    { started_at: at(1), latency_ms: 500, status: "error", error: { type: "t", message: "timeout" } },
  ]);
  const page = await newPage({ token: client.token, at: "#/sessions/failed?view=timeline" });
  await expect.poll(() => rowsOf(page).getByText("failed").count()).toBe(1);
  expect(await page.locator(".span-failed").count()).toBe(1);
  await go(page, "#/sessions/failed?view=tree");
  await expect.poll(() => rowsOf(page).getByText("failed").count()).toBe(1);
  expect(await page.locator(".row.trace.failed-branch .cell-errors").textContent()).toBe("1");
});

it("of 10,000 steps at 300 levels few are in the document, and the last is reachable", async () => {
  const client = await newTenant();
  const root = await sendLongRun(client, { steps: 10_000, levels: 300 });
  const page = await newPage({ token: client.token, at: `#/traces/${root}?view=timeline` });
  await expect.poll(() => rowsOf(page).count(), { timeout: 30_000 }).toBeGreaterThan(10);
  const grid = page.getByRole("treegrid");
  expect(await grid.getAttribute("aria-rowcount")).toBe("10301");
  await page.locator(".list-timeline .rows").evaluate((box) => {
    box.scrollTop += 40_000;
  });
  expect(await rowsOf(page).count()).toBeLessThanOrEqual(80);
  await page.getByText("10,000 of 10,000 steps").waitFor();
  await rowsOf(page).nth(10).focus();
  await page.keyboard.press("End");
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex")))
    .toBe("10301");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).toContain("step=");
  // The link leads there, although its page comes last.
  await page.reload();
  const chosen = page.locator("[aria-selected=true]");
  await expect.poll(() => chosen.getAttribute("aria-rowindex"), { timeout: 30_000 }).toBe("10301");
  await expect
    .poll(() => page.locator(".rows").evaluate(({ scrollTop }) => scrollTop))
    .toBeGreaterThan(300_000);

  await go(page, `#/traces/${root}?view=tree`);
  await page.locator(".list-tree").waitFor();
  await page.getByText("10,000 of 10,000 steps").waitFor();
  await rowsOf(page).first().focus();
  await page.keyboard.press("End");
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex")))
    .toBe("10301");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-level"))).toBe("301");
}, 180_000);
