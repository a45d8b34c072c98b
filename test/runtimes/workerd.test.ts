import { inject } from "vitest";
import { figures, scenarios } from "../scenarios/index.ts";

const api = (path: string, init?: RequestInit) => fetch(`${inject("workerdUrl")}${path}`, init);

scenarios("workerd", api);
figures("workerd", api);
