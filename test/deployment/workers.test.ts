import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { parseEnv } from "../../functions/monkai-api/env.ts";
import { prepareWorker, startWorkerd } from "../../scripts/stack/workerd.ts";
import { deployedWorker } from "../../scripts/stack/deployed-worker.ts";
import { ROOT } from "../support/dev.ts";

const environments = ["", "staging", "production"];

it.each(environments)(
  "what wrangler would upload to the environment '%s' has at most 220 KiB, and starts in workerd",
  async (environment) => {
    const code = await deployedWorker(environment);
    expect(gzipSync(code).length).toBeLessThan(220 * 1024);
    const workerd = await startWorkerd(prepareWorker({ code }));
    try {
      const response = await fetch(`http://127.0.0.1:${workerd.port}/v1/health`);
      expect(response.status).toBe(200);
    } finally {
      await workerd.stop();
    }
  },
);

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
