import { describe } from "vitest";
import type { Api } from "../support/tenant.ts";
import { acrossTenants } from "./across-tenants.ts";
import { anonymization } from "./anonymization.ts";
import { authentication } from "./authentication.ts";
import { batch } from "./batch.ts";
import { documentation } from "./documentation.ts";
import { erasure } from "./erasure.ts";
import { errors } from "./errors.ts";
import { exports } from "./exports.ts";
import { fields } from "./fields.ts";
import { hostile } from "./hostile.ts";
import { http } from "./http.ts";
import { idempotency } from "./idempotency.ts";
import { isolation } from "./isolation.ts";
import { mcp } from "./mcp.ts";
import { modelPrices } from "./model-prices.ts";
import { namespaces } from "./namespaces.ts";
import { otlp } from "./otlp.ts";
import { queries } from "./queries.ts";
import { rateLimits } from "./rate-limits.ts";
import { readOnly } from "./read-only.ts";
import { retention } from "./retention.ts";
import { scores } from "./scores.ts";
import { sessionList } from "./session-list.ts";
import { sessions } from "./sessions.ts";
import { stepSearch } from "./step-search.ts";
import { steps } from "./steps.ts";
import { traceTrees } from "./trace-trees.ts";
import { traces } from "./traces.ts";
import { uploads } from "./uploads.ts";
import { usage } from "./usage.ts";

/** What a runtime, and a proxy in front of it, could do in another way: requests, answers, streams, headers. */
export function onTheWire(runtime: string, api: Api): void {
  describe(`on ${runtime}`, () => {
    http(api);
    authentication(api);
    errors(api);
    traces(api);
    batch(api);
    exports(api);
    idempotency(api);
    rateLimits(api);
    uploads(api);
    otlp(api);
    documentation(api);
    hostile(api);
    mcp(api);
  });
}

/** What the API does with them: a proxy has nothing to add to it. */
export function inTheApi(runtime: string, api: Api): void {
  describe(`on ${runtime}`, () => {
    sessions(api);
    queries(api);
    fields(api);
    isolation(api);
    acrossTenants(api);
    readOnly(api);
    namespaces(api);
    anonymization(api);
    traceTrees(api);
  });
}

/** What the database makes of it, for people to look at or to take away: one runtime tells all. */
export function inTheDatabase(runtime: string, api: Api): void {
  describe(`on ${runtime}`, () => {
    sessionList(api);
    modelPrices(api);
    scores(api);
    erasure(api);
    retention(api);
    steps(api);
    stepSearch(api);
    usage(api);
  });
}
