import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { it, newPage, newTenant, rowsOf, sendStep, signIn, useBrowser } from "./support/browser.ts";

useBrowser();

/** KiB of gzip, of scripts and styles. */
const LARGEST = 45;

it(`the first list is there after at most ${LARGEST} KiB of scripts and styles`, async () => {
  const client = await newTenant();
  await sendStep(client, "s-1");
  const page = await newPage();
  const sizes = new Map<string, number>();
  page.on("response", async (response) => {
    if (!/\.(js|css)$/.test(response.url())) return;
    sizes.set(new URL(response.url()).pathname, gzipSync(await response.body()).length / 1024);
  });
  await page.reload();
  await signIn(page, client.token);
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`Before the first list: ${total.toFixed(1)} KiB, in ${sizes.size} files.`);
  expect(sizes.size).toBeGreaterThanOrEqual(2);
  expect(total).toBeLessThanOrEqual(LARGEST);
});
