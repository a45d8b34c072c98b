import { inject } from "vitest";
import { week } from "../scenarios/week.ts";

week((path, init) => fetch(`${inject("workerdUrl")}${path}`, init));
