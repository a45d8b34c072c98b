import { inject } from "vitest";
import { scenarios } from "../scenarios/index.ts";

scenarios("workerd", (path, init) => fetch(`${inject("workerdUrl")}${path}`, init));
