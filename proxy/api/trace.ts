import { proxy } from "../proxy.ts";

/** What this file uses of Vercel's edge runtime. */
declare const process: { env: Record<string, string | undefined> };

export const config = { runtime: "edge" };

/** Vercel sets `x-real-ip` itself, whatever a client sent. */
export default (request: Request): Promise<Response> =>
  proxy(request, {
    upstream: process.env.TRACE_UPSTREAM,
    clientAddress: ({ headers }) => headers.get("x-real-ip") ?? undefined,
  });
