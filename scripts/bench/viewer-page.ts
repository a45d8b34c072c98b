import { type CDPSession, chromium } from "playwright-core";
import { CHROMIUM, FLAGS } from "../../test/viewer/support/chromium.ts";
import { median, percentile } from "./statistics.ts";
import type { Runs } from "./viewer-runs.ts";

const ROW = ".conversation li, .space > .row";
const ALL_READ = /^([\d,]+) of \1 steps$/;
const FRAMES = 120;
/** Pixels that are scrolled each frame: more than a page a second. */
const STEP = 400;
const WORD = "tool_5000";

/** A signed-in viewer in a Chromium. `at` is a place in it, as `#/sessions/s-1`; what is measured is in milliseconds. */
export interface Viewer {
  /** So many times slower than it is. */
  slowDown(times: number): Promise<void>;
  /** From the beginning of the navigation, in a tab that has loaded nothing, until the first row is drawn. */
  firstRow(at: string): Promise<number>;
  /** What 95 % of the frames do not exceed while all is read and somebody scrolls. */
  frame(at: string): Promise<number>;
  /** Until what is found is drawn: the median of the keys of a word. */
  key(at: string): Promise<number>;
  /** How many rows are in the document, halfway down, and the bytes of the heap after a collection. */
  weight(at: string): Promise<{ rows: number; heap: number }>;
  close(): Promise<void>;
}

export async function openViewer({ url, token }: Runs): Promise<Viewer> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  await page.addInitScript(noteFirstRow, ROW);
  await page.goto(`${url}/v1/view`);
  await page.getByLabel("Tracer token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();

  const open = async (at: string) => {
    await page.goto("about:blank");
    await page.goto(`${url}/v1/view${at}`);
    const drawn = await page.waitForFunction(() => (globalThis as { firstRowAt?: number }).firstRowAt);
    // What is still being read would slow down what is measured next.
    await page.getByText(ALL_READ).first().waitFor();
    return Number(await drawn.jsonValue());
  };
  return {
    slowDown: async (rate) => void (await devtools.send("Emulation.setCPUThrottlingRate", { rate })),
    firstRow: open,
    async frame(at) {
      await open(at);
      const lengths = await page.locator(".rows").evaluate(scrolledFrames, { frames: FRAMES, step: STEP });
      return percentile(lengths, 0.95);
    },
    async key(at) {
      await open(at);
      return median(await page.getByLabel("Find in these steps").evaluate(typed, WORD));
    },
    async weight(at) {
      await open(at);
      await page
        .locator(".conversation, .rows")
        .evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }));
      await page.waitForTimeout(1_000);
      return { rows: await page.locator(ROW).count(), heap: await heapOf(devtools) };
    },
    close: () => browser.close(),
  };
}

/** Runs in the page before all else. */
function noteFirstRow(selector: string): void {
  const look = () => {
    if (!document.querySelector(selector)) return;
    observer.disconnect();
    // After the frame that it is in.
    requestAnimationFrame(() =>
      setTimeout(() => {
        Object.assign(globalThis, { firstRowAt: performance.now() });
      }),
    );
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { childList: true, subtree: true });
}

/** Runs in the page. */
async function scrolledFrames(
  box: Element,
  { frames, step }: { frames: number; step: number },
): Promise<number[]> {
  const lengths: number[] = [];
  let last = performance.now();
  for (let frame = 0; frame <= frames; frame += 1) {
    box.scrollTop += step;
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    lengths.push(now - last);
    last = now;
  }
  return lengths.slice(1);
}

/** Runs in the page. Drawing waits for microtasks and is there in the next task, and layout is forced. */
async function typed(field: Element, word: string): Promise<number[]> {
  const input = field as HTMLInputElement;
  const times: number[] = [];
  for (const letter of word) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const begun = performance.now();
    input.value += letter;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(undefined);
    });
    document.body.getBoundingClientRect();
    times.push(performance.now() - begun);
  }
  return times;
}

async function heapOf(devtools: CDPSession): Promise<number> {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? Number.NaN;
}
