import { fileURLToPath } from "node:url";
import { EdgeRuntime, runServer } from "edge-runtime";
import { buildSync } from "esbuild";
import { Miniflare } from "miniflare";

/** A proxy under test. */
export interface RunningProxy {
  url: string;
  stop: () => Promise<unknown>;
}

const folder = fileURLToPath(new URL("../../proxy/", import.meta.url));

/** The proxy's entry file in Vercel's edge runtime, called as Vercel calls it. */
export async function startProxyOnEdge(upstream?: string): Promise<RunningProxy> {
  const initialCode = bundle(
    upstream,
    `addEventListener("fetch", (event) => event.respondWith(handler(event.request)));`,
  );
  const server = await runServer({ runtime: new EdgeRuntime({ initialCode }), host: "127.0.0.1", port: 0 });
  return { url: new URL(server.url).origin, stop: () => server.close() };
}

/** The same file in workerd. */
export async function startProxyOnWorkerd(upstream?: string): Promise<RunningProxy> {
  const contents = bundle(upstream, "export default { fetch: (request) => handler(request) };");
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents }],
    compatibilityDate: "2026-07-01",
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  return { url: (await miniflare.ready).origin, stop: () => miniflare.dispose() };
}

function bundle(upstream: string | undefined, start: string): string {
  const { outputFiles } = buildSync({
    stdin: { contents: `import handler from "./api/trace.ts"; ${start}`, resolveDir: folder },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    define: { "process.env.TRACE_UPSTREAM": JSON.stringify(upstream) ?? "undefined" },
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
