import { startApp } from "./start.ts";

let app: ReturnType<typeof startApp> | undefined;

/** Cloudflare Workers entry. The environment comes with the first request and stays the same for the isolate's life. */
export default {
  fetch(request: Request, environment: unknown): Response | Promise<Response> {
    app ??= startApp(environment);
    return app.fetch(request);
  },
};
