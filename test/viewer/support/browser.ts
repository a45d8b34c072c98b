import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, it as vitestIt } from "vitest";
import { type Api, type Client, newClient } from "../../support/tenant.ts";
import { CHROMIUM, FLAGS } from "./chromium.ts";

/** Where there is no Chromium, tests are skipped, and the start of the run says so. */
export const it = vitestIt.skipIf(inject("apiUrl") === "");

export const VIEWER = `${inject("apiUrl") || "http://unused"}/view`;
const { origin } = new URL(VIEWER);

let browser: Browser;

/** Starts a Chromium for the tests of a file. */
export function useBrowser(): void {
  beforeAll(async () => {
    if (inject("apiUrl") === "") return;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(() => browser?.close());
}

/** The API that the viewer talks to. Paths are those of the scenarios, with `/v1`. */
export const api: Api = (path, init) => fetch(`${origin}${path}`, init);

/** A tenant of its own. */
export const newTenant = (options?: Parameters<typeof newClient>[1]): Promise<Client> =>
  newClient(api, options);

export interface PageOptions extends BrowserContextOptions {
  /** Signed in as soon as the page is opened. */
  token?: string;
  /** Where the viewer is, if not beside the API. */
  viewer?: string;
  /** The place, as `#/sessions`. */
  at?: string;
  theme?: "light" | "dark";
  /** Statuses of the API that the test provokes: Chromium writes each of them on the console as an error. */
  provokes?: number[];
}

/**
 * A page in a fresh profile. The test fails when anything goes wrong in it unnoticed: an error on the console, a violation of
 * the Content-Security-Policy, or a request to anywhere but the API's own origin.
 */
export async function newPage({
  token,
  viewer = VIEWER,
  at = "",
  theme = "light",
  provokes = [],
  ...options
}: PageOptions = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: theme,
    ...options,
  });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const isProvoked = provokes.some((status) =>
      message.text().includes(status === 0 ? "net::" : `status of ${status}`),
    );
    if (message.type() === "error" && !isProvoked) wrong.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && ![origin, new URL(viewer).origin].includes(url.origin))
      wrong.push(`request to ${url.href}`);
    if (token && request.url().includes(token)) wrong.push(`the token is in ${url.href}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`violation of ${violatedDirective}: ${blockedURI}`),
    );
  });
  onTestFinished(async () => {
    await context.close();
    expect(wrong).toEqual([]);
  });
  await page.goto(viewer + (token ? "" : at));
  if (token) {
    await signIn(page, token);
    if (at) await go(page, at);
  }
  return page;
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Tracer token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Goes to a place as a link does. */
export async function go(page: Page, at: string): Promise<void> {
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.evaluate((fragment) => {
    location.hash = fragment;
  }, at);
}

/** The tab is looked at, or not, as far as its page knows. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

/** Sends an LLM step; its session's id is answered. */
export async function sendStep(
  client: Client,
  session: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const step = {
    namespace: "shop",
    session_id: session,
    agent: "planner",
    model: "gpt-4o",
    input: { messages: [{ role: "user", content: `A question of ${session}` }] },
    output: { content: "An answer", usage: { prompt_tokens: 8, completion_tokens: 10 } },
    ...more,
  };
  expect(await client.post("/v1/traces/llm", step)).toMatchObject({ status: 200 });
  return session;
}

export const rowsOf = (page: Page) => page.locator(".space > [role=row]");
