import { inject } from "vitest";
import { scenarios } from "../scenarios/index.ts";

scenarios("Deno", (path, init) => fetch(`${inject("denoUrl")}${path}`, init));
