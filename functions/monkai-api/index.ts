import { startApp } from "./start.ts";

/** What this entry uses of Deno: the only place that knows the runtime. */
declare const Deno: {
  env: { toObject(): Record<string, string> };
  serve(handler: (request: Request) => Response | Promise<Response>): unknown;
};

/** Supabase Edge Functions entry. */
const app = startApp(Deno.env.toObject());

Deno.serve((request) => app.fetch(request));
