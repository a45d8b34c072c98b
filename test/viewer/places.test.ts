import { expect, inject, onTestFinished } from "vitest";
import { Command } from "../support/dev.ts";
import { startProxyOnEdge } from "../support/proxy.ts";
import { go, it, newPage, newTenant, rowsOf, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

/** Each page, and what is there when it has read what it shows. Nothing but the API's own origin is asked: `newPage`. */
const PAGES = [
  { at: "#/sessions", ready: ".list-sessions .space > .row" },
  { at: "#/sessions/s-1", ready: "h1:has-text('s-1')" },
  { at: "#/traces", ready: ".list-traces .space > .row" },
  { at: "#/search?text=question", ready: ".list-search .space > .row" },
  { at: "#/logs", ready: ".list-logs .space > .row" },
  { at: "#/usage?by=hour&and=model", ready: ".columns rect" },
  { at: "#/usage?by=agent", ready: ".bar-lines rect" },
  { at: "#/settings", ready: ".limits td" },
];

const origin = () => new URL(inject("apiUrl")).origin;

const PLACES: { name: string; start: () => Promise<string> }[] = [
  { name: "/v1", start: async () => `${origin()}/v1/view` },
  { name: "/v1, with a slash at the end", start: async () => `${origin()}/v1/view/` },
  { name: "/functions/v1/monkai-api", start: async () => `${origin()}/functions/v1/monkai-api/v1/view` },
  { name: "/api/v1", start: async () => `${origin()}/api/v1/view` },
  { name: "the proxy", start: throughProxy },
  { name: "npm run view", start: withCommand },
];

async function throughProxy(): Promise<string> {
  const proxy = await startProxyOnEdge(`${origin()}/functions/v1/monkai-api`);
  onTestFinished(async () => void (await proxy.stop()));
  return `${proxy.url}/trace/v1/view`;
}

async function withCommand(): Promise<string> {
  const command = new Command("npm", ["run", "--silent", "view", "--", inject("apiUrl")], { PORT: "0" });
  onTestFinished(async () => {
    command.signalGroup("SIGINT");
    await command.ended;
  });
  const [viewer] = await command.says(/http:\/\/127\.0\.0\.1:\d+\/$/m);
  return viewer;
}

it.each(PLACES)("every page works under $name, and asks nobody but its API", async ({ start }) => {
  const client = await newTenant();
  await sendStep(client, "s-1");
  const logs = [{ namespace: "shop", level: "info", message: "a question" }];
  expect(await client.post("/v1/logs/upload", { logs })).toMatchObject({ status: 200 });
  const page = await newPage({ viewer: await start(), token: client.token });
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  for (const { at, ready } of PAGES) {
    await go(page, at);
    await page.locator(ready).first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  }
});
