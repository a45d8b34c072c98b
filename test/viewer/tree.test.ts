import { expect } from "vitest";
import { it, newPage, newTenant, rowsOf, useBrowser } from "./support/browser.ts";
import { sendBatch } from "./support/runs.ts";

useBrowser();

it("the tree is walked and folded by keyboard, what is folded is in the address, and a chosen step unfolds it", async () => {
  const client = await newTenant();
  await sendBatch(client, "s-1", [
    { trace_id: "root", tool_name: "first" },
    { trace_id: "child", parent_trace_id: "root", agent: "writer", tool_name: "inner" },
    {
      trace_id: "child",
      parent_trace_id: "root",
      agent: "writer",
      tool_name: "broken",
      status: "error",
      error: { type: "t", message: "timeout" },
    },
  ]);
  const page = await newPage({ token: client.token, at: "#/traces/root?view=tree" });
  await expect.poll(() => rowsOf(page).count()).toBe(5);
  const levels = () => rowsOf(page).evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-level")));
  expect(await levels()).toEqual(["1", "2", "2", "3", "3"]);
  expect(await rowsOf(page).first().locator(".cell-errors").textContent()).toBe("1 below");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex"));

  await rowsOf(page).last().focus();
  await page.keyboard.press("ArrowLeft");
  await expect.poll(focused).toBe("4");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => rowsOf(page).count()).toBe(3);
  expect(await rowsOf(page).last().getAttribute("aria-expanded")).toBe("false");
  expect(page.url()).toContain("closed=1");
  await page.reload();
  await expect.poll(() => rowsOf(page).count()).toBe(3);
  await rowsOf(page).last().focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => rowsOf(page).count()).toBe(5);
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => rowsOf(page).count()).toBe(3);

  await page.keyboard.press("e");
  await expect.poll(() => rowsOf(page).count()).toBe(5);
  expect(await page.locator(".row.chosen").textContent()).toContain("broken");
});

it("what is found is marked in the tree and in the timeline", async () => {
  const client = await newTenant();
  await sendBatch(client, "s-1", [{ tool_name: "needle" }, { tool_name: "hay" }]);
  for (const view of ["tree", "timeline"]) {
    const page = await newPage({ token: client.token, at: `#/sessions/s-1?view=${view}&find=needle` });
    await expect.poll(() => page.locator(".row.match").count()).toBe(1);
    expect(await page.locator(".row.match").textContent()).toContain("needle");
    await page.close();
  }
});
