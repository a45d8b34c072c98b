import { mkdirSync } from "node:fs";
import { expect } from "vitest";
import { findings } from "./support/axe.ts";
import { it, newPage, newTenant, sendStep, useBrowser } from "./support/browser.ts";
import { sendBatch } from "./support/runs.ts";

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

it.each(VIEWS)(
  "axe finds nothing on timeline, tree, agents, traces and compare, $theme at $width px, and none scrolls sideways",
  async ({ theme, ...viewport }) => {
    const client = await newTenant();
    const start = Date.parse("2026-11-21T10:00:00Z");
    for (const session of ["s-1", `s-2-${"long".repeat(40)}`]) {
      await sendStep(client, session, { started_at: new Date(start).toISOString(), latency_ms: 900 });
      const handoff = { namespace: "shop", session_id: session, from_agent: "planner", to_agent: "writer" };
      expect(await client.post("/v1/traces/handoff", handoff)).toMatchObject({ status: 200 });
      await sendBatch(client, session, [
        ...[1, 2, 3].map(() => ({ agent: "writer", tool_name: "search".repeat(20) })),
        { agent: "writer", status: "error", error: { type: "t", message: "timeout" } },
        { agent: "agent".repeat(30), trace_id: `other-${session.length}` },
      ]);
    }
    const { body } = await client.get("/v1/sessions/s-1/steps");
    const [{ id: a }] = body.traces;
    const { body: traces } = await client.get("/v1/traces?root_only=true");
    const b = traces.data.find(({ id }: { id: string }) => id !== a).id;
    const [step] = body.steps;
    const pages = [
      { name: "timeline", at: `#/sessions/s-1?view=timeline&step=${step.id}`, ready: ".list-timeline .span" },
      { name: "timeline-zoomed", at: `#/traces/${a}?view=timeline&zoom=4&at=0.3`, ready: ".minimap" },
      { name: "tree", at: `#/sessions/s-1?view=tree`, ready: ".list-tree .trace" },
      { name: "agents", at: `#/sessions/s-1?view=agents`, ready: ".loops li" },
      { name: "compare", at: `#/compare?a=${a}&b=${b}&pair=${step.id}`, ready: ".text-diff" },
      { name: "compare-choose", at: `#/compare?a=${a}`, ready: ".choose li" },
      { name: "traces-ticked", at: `#/traces?a=${a}&b=${b}`, ready: ".pick input:checked" },
    ];
    for (const { name, at, ready } of pages) {
      const page = await newPage({ token: client.token, at, theme, viewport, bypassCSP: true });
      await page.locator(ready).first().waitFor({ state: "attached" });
      if (PICTURES) {
        mkdirSync(PICTURES, { recursive: true });
        await page.screenshot({ path: `${PICTURES}/${name}-${theme}-${viewport.width}.png` });
      }
      expect([name, await findings(page)]).toEqual([name, []]);
      // What scrolls would take in what is too wide for it.
      const overflow = await page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll("main, .rows, .agents, .wide")]
          .map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
          .reduce((widest, width) => Math.max(widest, width)),
      );
      expect([name, overflow]).toEqual([name, 0]);
      await page.close();
    }
  },
);
