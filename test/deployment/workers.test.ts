import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { expect, it, onTestFinished } from "vitest";
import { unstable_readConfig } from "wrangler";
import { parseEnv } from "../../functions/monkai-api/env.ts";
import { assetsFolder, compatibilityDate } from "../../scripts/stack/bundle.ts";
import { deployedWorker } from "../../scripts/stack/deployed-worker.ts";
import { prepareWorker, startWorkerd } from "../../scripts/stack/workerd.ts";
import { ROOT } from "../support/dev.ts";

const environments = ["", "staging", "production"];

/** Bytes. The three megabytes that Cloudflare takes are far away: this is how much it may grow by the APIs that people read with. */
const LARGEST = 260 * 1024;

it.each(environments)(
  "what wrangler would upload to the environment '%s' has at most 260 KiB, and starts in workerd",
  async (environment) => {
    const code = await deployedWorker(environment);
    expect(gzipSync(code).length).toBeLessThan(LARGEST);
    const workerd = await startWorkerd(prepareWorker({ code }));
    try {
      const response = await fetch(`http://127.0.0.1:${workerd.port}/v1/health`);
      expect(response.status).toBe(200);
    } finally {
      await workerd.stop();
    }
  },
);

it("it gets the files of the page at /docs from Cloudflare's own server of assets", async () => {
  const contents = await deployedWorker();
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents }],
    compatibilityDate: compatibilityDate(),
    assets: {
      directory: assetsFolder(),
      binding: "ASSETS",
      routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
    },
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  onTestFinished(() => miniflare.dispose());
  const { origin } = await miniflare.ready;
  const response = await fetch(`${origin}/v1/docs/docs.js`);
  expect(await response.text()).toBe(readFileSync(`${assetsFolder()}/docs.js`, "utf8"));
  expect((await fetch(`${origin}/docs.js`)).status).toBe(404);
});

it.each(environments)(
  "the environment '%s' keeps its logs and asks for the secrets that the API needs",
  (env) => {
    const { assets, observability, secrets } = unstable_readConfig({ config: `${ROOT}/wrangler.toml`, env });
    expect(observability?.enabled).toBe(true);
    expect(assets?.run_worker_first).toBe(true);
    const value = "https://api.test";
    const given = Object.fromEntries((secrets?.required ?? []).map((name: string) => [name, value]));
    expect(parseEnv(given)).toMatchObject(given);
  },
);
