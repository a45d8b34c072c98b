import { inject } from "vitest";
import { onTheWire } from "../scenarios/index.ts";

onTheWire("the proxy on Vercel's edge runtime, in front of workerd", (path, init) =>
  fetch(`${inject("proxyUrl")}/trace${path}`, init),
);
