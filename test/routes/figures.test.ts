import { inject } from "vitest";
import { exactReads } from "../scenarios/exact-reads.ts";
import { hostileFigures } from "../scenarios/hostile-figures.ts";
import { sessionFigures } from "../scenarios/session-figures.ts";
import type { Api } from "../support/tenant.ts";

const api: Api = (path, init) => fetch(`${inject("workerdUrl")}${path}`, init);

sessionFigures(api);
exactReads(api);
hostileFigures(api);
