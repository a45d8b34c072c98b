import { describe } from "vitest";
import type { Api } from "../support/tenant.ts";
import { acrossTenants } from "./across-tenants.ts";
import { anonymization } from "./anonymization.ts";
import { authentication } from "./authentication.ts";
import { batch } from "./batch.ts";
import { documentation } from "./documentation.ts";
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
import { scores } from "./scores.ts";
import { sessionList } from "./session-list.ts";
import { sessions } from "./sessions.ts";
import { stepSearch } from "./step-search.ts";
import { steps } from "./steps.ts";
import { traceTrees } from "./trace-trees.ts";
import { traces } from "./traces.ts";
import { uploads } from "./uploads.ts";
import { usage } from "./usage.ts";

/** What every runtime must do: black box, over HTTP. */
export function scenarios(runtime: string, api: Api): void {
  describe(`on ${runtime}`, () => {
    http(api);
    authentication(api);
    errors(api);
    sessions(api);
    traces(api);
    batch(api);
    queries(api);
    exports(api);
    fields(api);
    isolation(api);
    acrossTenants(api);
    idempotency(api);
    rateLimits(api);
    readOnly(api);
    uploads(api);
    namespaces(api);
    anonymization(api);
    traceTrees(api);
    otlp(api);
    documentation(api);
    hostile(api);
    mcp(api);
  });
}

/** What people look at is made in the database: a proxy in front of the API has nothing to add to it. */
export function figures(runtime: string, api: Api): void {
  describe(`on ${runtime}`, () => {
    sessionList(api);
    modelPrices(api);
    scores(api);
    steps(api);
    stepSearch(api);
    usage(api);
  });
}
