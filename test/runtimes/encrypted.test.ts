import { describe, expect, inject, it, onTestFinished } from "vitest";
import { newContentKey } from "../../functions/monkai-api/domain/content-keys.ts";
import { startWorker } from "../../scripts/stack/worker.ts";
import { anonymization } from "../scenarios/anonymization.ts";
import { exports } from "../scenarios/exports.ts";
import { fields } from "../scenarios/fields.ts";
import { idempotency } from "../scenarios/idempotency.ts";
import { otlp } from "../scenarios/otlp.ts";
import { scores } from "../scenarios/scores.ts";
import { traces } from "../scenarios/traces.ts";
import { uploads } from "../scenarios/uploads.ts";
import { appInProcess } from "../support/app.ts";
import { startDeno } from "../support/deno.ts";
import { plant, unread } from "../support/planted-api.ts";
import { type Api, Client } from "../support/tenant.ts";

const contentKeys = newContentKey("test");
const upstream = {
  supabaseUrl: inject("restUrl"),
  serviceKey: inject("serviceKey"),
  contentKeys,
  adopt: () => {},
};

describe("on an API that encrypts", () => {
  const { api } = appInProcess(inject("restUrl"), inject("serviceKey"), { contentKeys });

  traces(api);
  exports(api);
  fields(api);
  idempotency(api);
  uploads(api);
  anonymization(api);
  scores(api);
  otlp(api);
});

it("workerd and Deno read what either of them has encrypted", async () => {
  const runtimes = await Promise.all([startWorker(upstream), startDeno(upstream)]);
  onTestFinished(async () => void (await Promise.all(runtimes.map((runtime) => runtime.stop()))));
  const apis = runtimes.map(
    ({ url }): Api =>
      (path, init) =>
        fetch(`${url}${path}`, init),
  );
  for (const writes of apis) {
    const { client, planted } = await plant(writes);
    for (const reads of apis)
      expect(await unread(new Client(reads, client.token), planted.texts)).toEqual([]);
  }
});
