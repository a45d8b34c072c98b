import { startApp } from "./start.ts";

/** What this entry uses of its bindings; the configuration is parsed in `env.ts`. */
interface Bindings {
  ASSETS?: { fetch(url: string): Promise<Response> };
}

let app: ReturnType<typeof startApp> | undefined;

/** Cloudflare Workers entry. The environment comes with the first request and stays the same for the isolate's life. */
export default {
  fetch(request: Request, environment: Bindings): Response | Promise<Response> {
    app ??= startApp(environment, async (name) => {
      const response = await environment.ASSETS?.fetch(`https://assets/${name}`);
      return response?.ok ? (response.body ?? undefined) : undefined;
    });
    return app.fetch(request);
  },
};
