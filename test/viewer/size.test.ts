import { gzipSync } from "node:zlib";
import { it as everywhere, expect } from "vitest";
import { viewerSizes } from "../../scripts/viewer-size.ts";
import { it, newPage, newTenant, rowsOf, sendStep, signIn, useBrowser } from "./support/browser.ts";

useBrowser();

/** KiB of gzip, of scripts and styles. With lazy parts 75 is the goal: see docs/performance.md. */
const LARGEST = 45;
const LARGEST_WITH_LAZY = 92;

everywhere(`with all that is loaded later the viewer has at most ${LARGEST_WITH_LAZY} KiB`, () => {
  expect(viewerSizes().all).toBeLessThanOrEqual(LARGEST_WITH_LAZY);
});

it(`the first list is there after at most ${LARGEST} KiB, which are those that the benchmark counts`, async () => {
  const client = await newTenant();
  await sendStep(client, "s-1");
  const page = await newPage();
  const sizes = new Map<string, Promise<number>>();
  page.on("response", (response) => {
    if (!/\.(js|css)$/.test(response.url())) return;
    const size = response.body().then((body) => gzipSync(body).length / 1024);
    sizes.set(new URL(response.url()).pathname, size);
  });
  await page.reload();
  await signIn(page, client.token);
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  const total = (await Promise.all(sizes.values())).reduce((sum, size) => sum + size, 0);
  expect(sizes.size).toBeGreaterThanOrEqual(2);
  expect(total).toBeLessThanOrEqual(LARGEST);
  expect(total).toBeCloseTo(viewerSizes().first, 3);
});
