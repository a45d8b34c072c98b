import { expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { parseEnv } from "../../functions/monkai-api/env.ts";
import { deployedWorker, runWorker, startTimes } from "../../scripts/bundle-report.ts";
import { ROOT } from "../support/dev.ts";

const environments = ["", "staging", "production"];

it.each(environments)(
  "what wrangler would upload to the environment '%s' starts in workerd",
  async (environment) => {
    const worker = await runWorker(await deployedWorker(environment));
    try {
      const response = await fetch(new URL("/v1/health", worker.url));
      expect(response.status).toBe(200);
    } finally {
      await worker.stop();
    }
  },
);

it.each(environments)(
  "the environment '%s' keeps its logs and asks for the secrets that the API needs",
  (env) => {
    const { observability, secrets } = unstable_readConfig({ config: `${ROOT}/wrangler.toml`, env });
    expect(observability?.enabled).toBe(true);
    const value = "https://api.test";
    const given = Object.fromEntries((secrets?.required ?? []).map((name: string) => [name, value]));
    expect(parseEnv(given)).toEqual(given);
  },
);

it("the start-up time has the evaluation of the module in it: what throws there does not start", async () => {
  await expect(startTimes(`throw new Error("evaluated"); export default {};`, 1)).rejects.toThrow(
    "evaluated",
  );
});
