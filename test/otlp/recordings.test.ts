import { inject } from "vitest";
import { otlpRecordings } from "../scenarios/otlp-recordings.ts";

otlpRecordings((path, init) => fetch(`${inject("workerdUrl")}${path}`, init));
