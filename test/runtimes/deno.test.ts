import { inject } from "vitest";
import { inTheApi, onTheWire } from "../scenarios/index.ts";

const api = (path: string, init?: RequestInit) => fetch(`${inject("denoUrl")}${path}`, init);

onTheWire("Deno", api);
inTheApi("Deno", api);
