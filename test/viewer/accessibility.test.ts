import { mkdirSync } from "node:fs";
import { expect } from "vitest";
import { findings } from "./support/axe.ts";
import { it, newPage, newTenant, sendStep, useBrowser } from "./support/browser.ts";

useBrowser();

/** Where to leave pictures for people to look at; nowhere when left out. */
const PICTURES = process.env.PICTURES;

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];
const VIEWS = SIZES.flatMap((viewport) =>
  (["light", "dark"] as const).map((theme) => ({ ...viewport, theme })),
);
const PAGES = [
  { name: "sign-in", at: "", ready: "Where tokens come from" },
  { name: "sessions", at: "#/sessions", ready: "3 of 3" },
  { name: "session", at: "#/sessions/s-1", ready: "Last activity" },
  { name: "step", at: "#/sessions/s-2?step=STEP", ready: "✕ failed" },
  { name: "logs", at: "#/sessions/s-2?view=logs", ready: "1 of 1 entries" },
  { name: "trace", at: "#/traces/TRACE", ready: "2 of 2 steps" },
  { name: "traces", at: "#/traces", ready: "3 of 3" },
  { name: "search", at: "#/search?text=question", ready: "A question of s-1|s-1" },
  { name: "search-empty", at: "#/search?text=nowhere", ready: "No step matches" },
  { name: "all-logs", at: "#/logs", ready: "2 of 2|1 of 1" },
  { name: "usage", at: "#/usage?and=model", ready: "Total" },
  { name: "usage-by-agent", at: "#/usage?by=agent&show=tokens", ready: "Total" },
  { name: "settings", at: "#/settings", ready: "Content is stored as it is sent|None: content" },
];

it.each(VIEWS)(
  "axe finds nothing on any page, $theme at $width px, and none scrolls sideways",
  async (view) => {
    const client = await newTenant();
    await sendStep(client, "s-1", { user_id: "5521999998888" });
    await sendStep(client, "s-2", {
      agent: "researcher",
      status: "error",
      error: { type: "t", message: "timeout" },
    });
    await sendStep(client, `s-3-${"long".repeat(40)}`, { agent: "a".repeat(200) });
    const logs = [{ namespace: "shop", level: "error", message: "the disk is full ".repeat(20) }];
    await client.post("/v1/logs/upload", { logs });
    const log = { session_id: "s-2", level: "warn", message: "Slow today" };
    expect(await client.post("/v1/traces/log", log)).toMatchObject({ status: 200 });
    const { body } = await client.get("/v1/sessions/s-2/steps");
    const [step] = body.steps;
    const { theme, ...viewport } = view;
    for (const { name, at: template, ready } of PAGES) {
      const at = template.replace("STEP", step.id).replace("TRACE", step.trace_id);
      const token = name === "sign-in" ? undefined : client.token;
      const page = await newPage({ token, at, theme, viewport, bypassCSP: true });
      await page.getByText(new RegExp(ready)).first().waitFor();
      if (PICTURES) {
        mkdirSync(PICTURES, { recursive: true });
        await page.screenshot({ path: `${PICTURES}/${name}-${theme}-${viewport.width}.png` });
      }
      expect([name, await findings(page)]).toEqual([name, []]);
      // What scrolls would take in what is too wide for it.
      const overflow = await page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll("main, .wide")]
          .map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
          .reduce((widest, width) => Math.max(widest, width)),
      );
      expect([name, overflow]).toEqual([name, 0]);
      await page.close();
    }
  },
);
