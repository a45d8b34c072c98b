import { expect } from "vitest";
import { it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";
import { sendBatch } from "./support/runs.ts";

useBrowser();

async function twoRuns() {
  const client = await newTenant();
  await sendStep(client, "first", { output: { content: "the same\nonly in the first" } });
  await sendBatch(client, "first", [{ tool_name: "look" }, { tool_name: "book" }]);
  await sendStep(client, "second", { output: { content: "the same\nonly in the second" } });
  await sendBatch(client, "second", [{ tool_name: "book" }]);
  return client;
}

it("two traces that are ticked are compared: a missing step shows as missing, and texts as a diff", async () => {
  const client = await twoRuns();
  const page = await newPage({ token: client.token, at: "#/traces" });
  const rowOf = (session: string) => rowsOf(page).filter({ hasText: session });
  await rowOf("first").getByRole("checkbox").focus();
  await page.keyboard.press("Space");
  await rowOf("second").getByRole("checkbox").focus();
  await page.keyboard.press("Space");
  await page.getByRole("link", { name: "Compare these two" }).focus();
  await page.keyboard.press("Enter");

  await page.getByText("3 rows, in 1 of them a step is missing").waitFor();
  const sides = await rowsOf(page).locator(".cell-b").allTextContents();
  expect(sides.map((text) => text.includes("missing"))).toEqual([false, true, false]);
  const figures = page.getByRole("region", { name: "Figures side by side" }).getByRole("row");
  expect((await figures.nth(1).getByRole("cell").allTextContents()).slice(0, 2)).toEqual(["1", "3"]);
  expect((await figures.nth(2).getByRole("cell").allTextContents()).slice(0, 2)).toEqual(["1", "2"]);

  await rowsOf(page).first().focus();
  await page.keyboard.press("Enter");
  const differences = page.getByRole("region", { name: "Differences" });
  await differences.waitFor();
  const lines = (kind: string) => differences.locator(kind).allTextContents();
  expect((await lines(".removed")).join("\n")).toContain("− only in the first");
  expect((await lines(".added")).join("\n")).toContain("+ only in the second");
  expect((await lines(".same")).join("\n")).toContain("the same");
});

it("a session is compared with one of the latest, and what is not there says so", async () => {
  const client = await twoRuns();
  const page = await newPage({ token: client.token, at: "#/sessions/first", provokes: [404] });
  await page.getByRole("link", { name: "Compare with…" }).click();
  await page.getByRole("link", { name: "second" }).click();
  await page.getByText("3 rows, in 1 of them a step is missing").waitFor();
  await page.goBack();
  await page.getByLabel("Its id").fill("nowhere");
  await page.keyboard.press("Enter");
  await page.getByText("This session is not there").waitFor();
});

it("traces are filtered by namespace and agent, in the address, and new ones wait for a click", async () => {
  const client = await newTenant();
  await sendStep(client, "one");
  await sendStep(client, "two", { namespace: "other", agent: "writer" });
  const page = await newPage({ token: client.token, at: "#/traces" });
  await expect.poll(() => rowsOf(page).count()).toBe(2);
  await page.getByLabel("Namespace").selectOption("other");
  await expect.poll(() => rowsOf(page).locator(".cell-session").allTextContents()).toEqual(["two"]);
  expect(page.url()).toContain("project_id=other");
  await page.getByLabel("Agent").fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove agent “nobody”" }).click();
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  await sendStep(client, "three", { namespace: "other" });
  await page.getByRole("button", { name: "1 new" }).click({ timeout: 20_000 });
  await expect.poll(() => rowsOf(page).count()).toBe(2);
});
