import { expect } from "vitest";
import { it, newPage, newTenant, sendStep, useBrowser } from "./support/browser.ts";
import { sendBatch } from "./support/runs.ts";

useBrowser();

it("the agents of a run show their figures and handoffs, and a loop is marked", async () => {
  const client = await newTenant();
  await sendStep(client, "s-1", { agent: "planner" });
  const handoff = { namespace: "shop", session_id: "s-1", from_agent: "planner", to_agent: "researcher" };
  expect(await client.post("/v1/traces/handoff", handoff)).toMatchObject({ status: 200 });
  await sendBatch(client, "s-1", [
    ...[1, 2, 3].map((_, index) => ({
      agent: "researcher",
      tool_name: "search",
      // The same members in another order are the same.
      arguments: index === 1 ? { page: 1, to: "REC" } : { to: "REC", page: 1 },
    })),
    ...[1, 2, 3].map((page) => ({ agent: "researcher", tool_name: "read", arguments: { page } })),
    { agent: "researcher", tool_name: "book", status: "error", error: { type: "t", message: "timeout" } },
  ]);
  const page = await newPage({ token: client.token, at: "#/sessions/s-1?view=agents" });
  const figures = page.getByRole("region", { name: "Figures of each agent" }).getByRole("row");
  await expect.poll(() => figures.count()).toBe(3);
  const cells = (row: number) => figures.nth(row).getByRole("cell").allTextContents();
  expect((await cells(1)).slice(0, 4)).toEqual(["1", "2", "0", "8 → 10"]);
  expect((await cells(2)).slice(0, 4)).toEqual(["1", "7", "1", "0 → 0"]);
  const edges = page.getByRole("region", { name: "Handoffs" }).getByRole("row");
  expect(await edges.nth(1).getByRole("cell").allTextContents()).toEqual(["planner", "researcher", "1"]);
  expect(await page.locator("svg .edge").count()).toBe(1);
  expect(await page.locator("svg .node").count()).toBe(2);

  const loops = page.locator(".loops li");
  await expect
    .poll(() => loops.allTextContents())
    .toEqual(["search was called 3 times running with the same arguments by researcher"]);
  await loops.getByRole("button", { name: "search" }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).toContain("step=");
});

it("past 40 agents there is a table and no picture", async () => {
  const client = await newTenant();
  await sendBatch(
    client,
    "many",
    Array.from({ length: 41 }, (_, index) => ({ agent: `agent-${index}`, trace_id: `trace-${index}` })),
  );
  const page = await newPage({ token: client.token, at: "#/sessions/many?view=agents" });
  await page.getByText("More than 40 agents are not drawn").waitFor();
  expect(await page.locator("svg").count()).toBe(0);
  const figures = page.getByRole("region", { name: "Figures of each agent" }).getByRole("row");
  expect(await figures.count()).toBe(42);
});
