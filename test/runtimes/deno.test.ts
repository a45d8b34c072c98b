import { inject } from "vitest";
import { figures, scenarios } from "../scenarios/index.ts";

const api = (path: string, init?: RequestInit) => fetch(`${inject("denoUrl")}${path}`, init);

scenarios("Deno", api);
figures("Deno", api);
