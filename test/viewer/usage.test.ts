import { expect } from "vitest";
import { go, it, newPage, newTenant, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

const price = (model: string, output: string) => ({ model, input: "0", output, currency: "USD" });
const outputTokens = (completion_tokens: number) => ({
  output: { content: "", usage: { prompt_tokens: 0, completion_tokens } },
});

it("an unknown model costs “unknown”, what is partly priced “at least”, and a new price changes old sums", async () => {
  const client = await newTenant();
  await client.put("/v1/model-prices", { prices: [price("known", "1000000")] });
  await sendStep(client, "s", { model: "known", ...outputTokens(3) });
  await sendStep(client, "s", { model: "nobody-knows", ...outputTokens(5) });
  const page = await newPage({ token: client.token, at: "#/usage?by=model" });
  const costs = () => page.locator("[data-title=Cost]").allTextContents();
  await expect.poll(async () => (await costs()).sort()).toEqual(["$3.00", "at least $3.00", "unknown"]);
  const prices = [price("known", "2000000"), price("nobody-knows", "1000000")];
  await client.put("/v1/model-prices", { prices });
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.goBack();
  await expect.poll(async () => (await costs()).sort()).toEqual(["$11.00", "$5.00", "$6.00"]);
});

it("the bars, the table, the totals and the CSV have the numbers of the API", async () => {
  const client = await newTenant();
  for (const [agent, model] of [
    ["planner", "one"],
    ["planner", "two"],
    ["=cmd", "one"],
  ] as const)
    await sendStep(client, "s", { agent, model, ...outputTokens(7) });
  const page = await newPage({
    token: client.token,
    at: "#/usage?by=agent&and=model&show=tokens",
    timezoneId: "Asia/Tokyo",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.getByText("(Asia/Tokyo)").waitFor();
  await expect.poll(() => page.url()).toContain("time_zone=Asia%2FTokyo");
  const { body } = await client.get("/v1/usage?by=agent,model&time_zone=Asia/Tokyo");
  expect(body.rows).toHaveLength(3);
  expect(await page.locator("tbody tr").count()).toBe(3);
  expect(await page.locator(".bar-lines .number").allTextContents()).toEqual(["14", "7"]);
  expect((await page.locator(".bar-lines title").allTextContents()).sort()).toEqual([
    "=cmd · one: 7",
    "planner · one: 7",
    "planner · two: 7",
  ]);
  expect(await page.locator("tfoot [data-title=Calls]").textContent()).toBe(`${body.totals.calls}`);
  await page.getByRole("button", { name: "Copy CSV" }).click();
  await page.getByText("Copied").waitFor();
  const csv = await page.evaluate(() => navigator.clipboard.readText());
  expect(csv.split("\r\n")[0]).toContain("agent,model,calls,");
  expect(csv).toContain("\n'=cmd,one,1,");
});

it("days are those of the time zone, and days without anything are there", async () => {
  const client = await newTenant();
  await sendStep(client, "now");
  const page = await newPage({ token: client.token, at: "#/usage", timezoneId: "America/Recife" });
  await page.locator(".columns rect").waitFor();
  expect(await page.locator(".columns").getAttribute("viewBox")).toBe("0 0 7 100");
  const { body } = await client.get("/v1/usage?time_zone=America/Recife");
  expect(await page.locator("tbody th").allTextContents()).toEqual([body.rows[0].day]);
});

it("the browser's time zone is put into the address, and the API is asked once", async () => {
  const client = await newTenant();
  await sendStep(client, "s");
  const page = await newPage({ token: client.token, timezoneId: "Asia/Tokyo" });
  await page.getByText("1 of 1").waitFor();
  const asked: string[] = [];
  page.on("request", (request) => /\/usage\?/.test(request.url()) && asked.push(request.url()));
  await go(page, "#/usage");
  await page.locator("tbody tr").waitFor();
  await expect.poll(() => page.url()).toContain("time_zone=Asia%2FTokyo");
  expect(asked).toEqual([expect.stringContaining("time_zone=Asia%2FTokyo")]);
});

it("where nothing was used it says where it looked, and which filter to remove", async () => {
  const client = await newTenant();
  await sendStep(client, "s");
  const page = await newPage({ token: client.token, at: "#/usage?agent=nobody" });
  await page.getByText("Nothing was used").waitFor();
  await page.getByRole("button", { name: "Remove agent “nobody”" }).click();
  await page.locator("tbody tr").waitFor();
});
