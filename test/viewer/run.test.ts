import type { Page } from "playwright-core";
import { expect } from "vitest";
import { type Client, newToken } from "../support/tenant.ts";
import { go, it, newPage, newTenant, sendStep, setHidden, signIn, useBrowser } from "./support/browser.ts";
import { sendBatch, sendLongRun } from "./support/runs.ts";

useBrowser();

const rowsIn = (page: Page) => page.locator(".conversation li");
const panelOf = (page: Page) => page.getByRole("complementary", { name: "Step" });

async function send(client: Client, path: string, body: object): Promise<void> {
  expect(await client.post(path, body)).toMatchObject({ status: 200 });
}

const sendTool = (client: Client, session_id: string, more: object = {}) =>
  send(client, "/v1/traces/tool", {
    session_id,
    agent: "planner",
    tool_name: "search",
    arguments: { to: "REC" },
    ...more,
  });

async function stepsOf(client: Client, session: string) {
  const { body } = await client.get(`/v1/sessions/${session}/steps`);
  return body.steps;
}

it("hostile content runs nothing and shows as text, as Markdown and as JSON, too", async () => {
  const client = await newTenant();
  const image = `data:image/png;base64,${"iVBORw0KGgo".repeat(60_000)}`;
  const hostile = `# <img src=x onerror=alert(1)> [here](javascript:alert(1)) [there](https://example.com/a) \u202Eevil a &lt; b ${image}`;
  await sendStep(client, "hostile", {
    agent: "__proto__",
    output: { content: hostile },
    input: JSON.parse('{"messages":[{"role":"user","content":"[EMAIL]"}],"__proto__":{"a":1}}'),
  });
  const page = await newPage({ token: client.token, at: "#/sessions/hostile" });
  await rowsIn(page).getByRole("button").click();
  const panel = panelOf(page);
  await panel.getByText("output left out").waitFor();
  await panel.getByRole("button", { name: "Load all" }).click();
  await panel.getByText("<img src=x onerror=alert(1)>").waitFor();
  for (const format of ["Text", "Markdown", "JSON"]) {
    await panel.getByLabel(format).check();
    await panel.getByText("image, 495 kB").first().waitFor();
    expect(await panel.textContent()).toContain("<img src=x onerror=alert(1)>");
    expect(await panel.textContent()).toContain("U+202Eevil");
  }
  await panel.getByLabel("Markdown").check();
  await panel.getByText("(no link: javascript:alert(1))").waitFor();
  await panel.getByText("(https://example.com/a)").waitFor();
  expect(await panel.textContent()).toContain("evil a < b ");
  expect(await panel.getByRole("link").count()).toBe(1);
  expect(await panel.locator(".redacted").textContent()).toBe("[EMAIL]");
  expect(await page.locator("img").count()).toBe(0);
});

it("a link to a step leads there after the sign-in, in a fresh profile", async () => {
  const client = await newTenant();
  for (let count = 0; count < 30; count += 1) await sendTool(client, "linked", { result: `result ${count}` });
  const { id } = (await stepsOf(client, "linked")).at(-1);
  const page = await newPage({ at: `#/sessions/linked?step=${id}` });
  await signIn(page, client.token);
  await panelOf(page).getByText("result 29").waitFor();
  await expect.poll(() => page.locator(`li.chosen[data-step="${id}"]`).isVisible()).toBe(true);
  expect(page.url()).toContain(id);
});

it("the figures of three handoffs' agents add up to the API's", async () => {
  const client = await newTenant();
  const agents = ["triage", "booking", "billing", "triage"];
  for (const [place, agent] of agents.entries()) {
    await sendStep(client, "relay", {
      agent,
      output: { content: "", usage: { prompt_tokens: 10 + place, completion_tokens: 3 } },
    });
    const to_agent = agents[place + 1];
    if (to_agent)
      await send(client, "/v1/traces/handoff", {
        session_id: "relay",
        from_agent: agent,
        to_agent,
        reason: "why not",
      });
  }
  await sendTool(client, "relay", { agent: "billing", status: "error", error: "timeout" });
  const { body: session } = await client.get("/v1/sessions/relay");
  const page = await newPage({ token: client.token, at: "#/sessions/relay" });
  await page.getByText("3 agents").click();
  const cells = await page
    .locator(".by-agent tbody tr")
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));
  expect(cells.map(([agent]) => agent)).toEqual(["triage", "booking", "billing"]);
  const sum = (column: number, of = (text: string) => text) =>
    cells.reduce((total, row) => total + Number(of(row[column] ?? "").replace(/[^\d.]/g, "")), 0);
  expect(sum(1)).toBe(session.step_count);
  expect(sum(2)).toBe(session.error_count);
  expect(sum(3, (text) => text.split("→")[0] ?? "")).toBe(session.input_tokens);
  expect(sum(3, (text) => text.split("→")[1] ?? "")).toBe(session.output_tokens);
  const costs = await page
    .locator(".by-agent tbody td:last-child span")
    .evaluateAll((spans) => spans.map((span) => Number.parseFloat(span.getAttribute("title") ?? "")));
  expect(costs.reduce((total, cost) => total + cost, 0)).toBeCloseTo(Number(session.cost.amount), 10);
  expect(await page.locator(".handoff").count()).toBe(3);
});

it("while one reads, what comes waits for a click; a hidden tab asks nothing", async () => {
  const client = await newTenant();
  for (let count = 0; count < 40; count += 1) await sendTool(client, "busy");
  const page = await newPage({ token: client.token, at: "#/sessions/busy" });
  await page.getByText("40 of 40 steps").waitFor();
  const box = page.locator(".conversation");
  await box.evaluate((element) => element.scrollTo({ top: 300 }));
  const seen = () =>
    rowsIn(page).evaluateAll((rows) =>
      rows.map((row) => [row.getAttribute("data-step"), row.getBoundingClientRect().top]),
    );
  await page.waitForTimeout(500);
  const before = await seen();
  await sendTool(client, "busy");
  await sendTool(client, "busy");
  await page.getByRole("button", { name: "2 new" }).waitFor({ timeout: 20_000 });
  expect(await seen()).toEqual(before);
  await page.getByRole("button", { name: "2 new" }).click();
  await page.getByText("42 of 42 steps").waitFor();

  let asked = 0;
  page.on("request", () => {
    asked += 1;
  });
  await setHidden(page, true);
  await page.waitForTimeout(1_000);
  asked = 0;
  await page.waitForTimeout(6_000);
  expect(asked).toBe(0);
});

it("who follows sees the end as steps come, and who does not stays where they are", async () => {
  const client = await newTenant();
  const calls = (count: number) => Array.from({ length: count }, () => ({}));
  await sendBatch(client, "live", calls(40));
  const page = await newPage({ token: client.token, at: "#/sessions/live" });
  await page.getByText("40 of 40 steps").waitFor();
  const box = page.locator(".conversation");
  const belowTheView = () =>
    box.evaluate(({ scrollHeight, scrollTop, clientHeight }) =>
      Math.round(scrollHeight - scrollTop - clientHeight),
    );
  const news = page.getByRole("button", { name: /new$/ });
  expect(await belowTheView()).toBeGreaterThan(300);
  await page.getByLabel("Follow").check();
  await expect.poll(belowTheView).toBe(0);

  await sendBatch(client, "live", calls(30));
  await page.getByText("70 of 70 steps").waitFor({ timeout: 20_000 });
  await expect.poll(() => rowsIn(page).last().getAttribute("aria-posinset")).toBe("70");
  await expect.poll(belowTheView).toBe(0);
  expect(await news.count()).toBe(0);

  await page.getByLabel("Follow").uncheck();
  await sendBatch(client, "live", calls(1));
  await news.waitFor({ timeout: 20_000 });
  expect(await page.locator(".list-footer").textContent()).toBe("70 of 70 steps");
  expect(await belowTheView()).toBe(0);
});

it("back and forward lead to the same tab, with what was searched for and scrolled as it was", async () => {
  const client = await newTenant();
  await sendBatch(
    client,
    "long",
    Array.from({ length: 90 }, (_, index) => ({ tool_name: `tool_${index}` })),
  );
  const page = await newPage({ token: client.token, at: "#/sessions/long?find=tool_8" });
  const view = (name: string) => page.getByRole("navigation", { name: "Views" }).getByText(name);
  const topOf = (box: string) => page.locator(box).evaluate(({ scrollTop }) => Math.round(scrollTop));
  /** Where each step in view is: what is above may still get its height, and `scrollTop` with it. */
  const inView = () =>
    page.locator(".conversation").evaluate((box) => {
      const { top, bottom } = box.getBoundingClientRect();
      const rows = [...box.querySelectorAll<HTMLElement>("[data-step]")];
      const places = rows.map(
        (row) => [row.dataset.step, Math.round(row.getBoundingClientRect().top - top)] as const,
      );
      return places.filter(([, place]) => place >= 0 && place < bottom - top);
    });
  const scroll = (box: string, top: number) =>
    page.locator(box).evaluate((element, to) => element.scrollTo({ top: to }), top);
  await page.getByText("90 of 90 steps").waitFor();
  await scroll(".conversation", 700);
  await expect.poll(() => rowsIn(page).first().getAttribute("aria-posinset")).not.toBe("1");
  await page.waitForTimeout(500);
  const seen = await inView();
  expect(seen.length).toBeGreaterThan(3);
  await view("Timeline").click();
  await page.locator(".list-timeline .span").first().waitFor();
  await scroll(".rows", 900);
  await expect.poll(() => page.locator(".space > .row").count()).toBeGreaterThan(10);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();

  await page.goBack();
  await page.locator(".list-timeline .span").first().waitFor();
  await expect.poll(() => topOf(".rows")).toBe(900);
  expect(await page.getByLabel("Find in these steps").inputValue()).toBe("tool_8");
  await page.goBack();
  await expect.poll(inView).toEqual(seen);
  expect(await page.getByLabel("Find in these steps").inputValue()).toBe("tool_8");
  await page.goForward();
  await expect.poll(() => topOf(".rows")).toBe(900);
  expect(page.url()).toContain("view=timeline");
});

it("what failed is marked, e goes from error to error, and what was not told is not green", async () => {
  const client = await newTenant();
  await sendTool(client, "failing", { result: "fine", status: "ok" });
  await sendTool(client, "failing", { status: "error", error: "first failure" });
  await sendTool(client, "failing", { result: "who knows" });
  await sendTool(client, "failing", { result: { is_error: true, text: "second" } });
  const page = await newPage({ token: client.token, at: "#/sessions/failing" });
  await expect.poll(() => page.locator(".conversation .has-failed").count()).toBe(2);
  const panel = panelOf(page);
  await page.keyboard.press("e");
  await panel.getByText("first failure").waitFor();
  await page.keyboard.press("j");
  await panel.getByText("who knows").waitFor();
  expect(await panel.locator("dd").first().textContent()).toBe("not told");
  expect(await panel.locator(".went-well").count()).toBe(0);
  await page.keyboard.press("e");
  await panel.getByText("second").waitFor();
  expect(await panel.locator("dd").first().textContent()).toBe("✕ failed");
  await page.keyboard.press("Escape");
  await expect.poll(() => panel.count()).toBe(0);

  await go(page, "#/settings");
  await page.getByLabel(/Single keys/).uncheck();
  await go(page, "#/sessions/failing");
  await rowsIn(page).first().waitFor();
  await page.keyboard.press("e");
  await page.waitForTimeout(300);
  expect(await panel.count()).toBe(0);
});

it("10,000 steps: find leads to one in the middle, the last is reachable, and few rows are in the document", async () => {
  const client = await newTenant();
  await sendLongRun(client, { steps: 10_000, levels: 300 });
  const page = await newPage({ token: client.token });
  await page.getByText("1 of 1").waitFor();
  await go(page, "#/sessions/long");
  await rowsIn(page).first().waitFor();
  await page.getByText("10,000 of 10,000 steps").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("tool_5000");
  await page.keyboard.press("Enter");
  await panelOf(page).getByText("result 5000").waitFor();
  await expect.poll(() => page.locator("li.chosen").isVisible()).toBe(true);
  await page.getByText("1 of 1", { exact: true }).waitFor();
  expect(await rowsIn(page).count()).toBeLessThanOrEqual(80);
  await page.keyboard.press("Escape");
  await page.locator(".conversation").focus();
  await page.keyboard.press("End");
  await expect.poll(() => rowsIn(page).last().getAttribute("aria-posinset")).toBe("10000");
  expect(await rowsIn(page).count()).toBeLessThanOrEqual(80);
}, 180_000);

it("a call with 40 messages shows its two new ones first", async () => {
  const client = await newTenant();
  const turns = Array.from({ length: 37 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: `old ${index}`,
  }));
  await sendStep(client, "talk", { input: { messages: turns }, output: { content: "an answer" } });
  const more = [
    { role: "assistant", content: "an answer" },
    { role: "user", content: "new one" },
    { role: "user", content: "new two" },
  ];
  await sendStep(client, "talk", {
    input: { messages: [...turns, ...more] },
    output: { content: "the end" },
  });
  const page = await newPage({ token: client.token, at: "#/sessions/talk" });
  await rowsIn(page).nth(1).getByRole("button").click();
  const panel = panelOf(page);
  await panel.getByText("38 earlier").waitFor();
  expect(await panel.locator(".message .told").allTextContents()).toEqual(["new one", "new two", "the end"]);
  await panel.getByText("38 earlier").click();
  await expect.poll(() => panel.locator(".message").count()).toBe(41);
});

it("purging leaves the skeleton, without a reload; a read-only token is not offered it", async () => {
  const client = await newTenant();
  await sendStep(client, "forget-me");
  const [{ id, trace_id }] = await stepsOf(client, "forget-me");
  const at = `#/sessions/forget-me?step=${id}`;
  const reader = await newToken({ tenant: client.tenant, scope: "read" });
  const other = await newPage({ token: reader.token, at });
  await panelOf(other).getByText("An answer").waitFor();
  await other.waitForTimeout(500);
  expect(await other.getByRole("button", { name: /Take content away/ }).count()).toBe(0);

  const page = await newPage({ token: client.token, at });
  const panel = panelOf(page);
  await panel.getByText("An answer").waitFor();
  await panel.getByRole("button", { name: "Take content away…" }).click();
  const confirm = panel.getByRole("button", { name: "Take content away", exact: true });
  await panel.getByLabel(/type the trace's id/).fill("another");
  expect(await confirm.isDisabled()).toBe(true);
  await panel.getByLabel(/type the trace's id/).fill(trace_id);
  await confirm.click();
  await panel.getByText(/was taken away: .*\d{4}/).waitFor();
  expect(await panel.textContent()).toContain("8 in, 10 out");
  expect(await page.getByText("An answer").count()).toBe(0);
  expect(await rowsIn(page).count()).toBe(1);
});
