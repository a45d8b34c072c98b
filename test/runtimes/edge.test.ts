import { inject } from "vitest";
import { scenarios } from "../scenarios/index.ts";

scenarios("the proxy on Vercel's edge runtime, in front of workerd", (path, init) =>
  fetch(`${inject("proxyUrl")}/trace${path}`, init),
);
