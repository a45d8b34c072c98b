import { startApp } from "./start.ts";

/** What this entry uses of Deno: the only place that knows the runtime. */
declare const Deno: {
  env: { toObject(): Record<string, string> };
  readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
  serve(handler: (request: Request) => Response | Promise<Response>): unknown;
};

/** Supabase Edge Functions entry. */
const app = startApp(Deno.env.toObject(), (name) =>
  Deno.readFile(new URL(`./assets/${name}`, import.meta.url)).catch(() => undefined),
);

Deno.serve((request) => app.fetch(request));
