// `npm run view -- API-URL`: the viewer on one's own machine, for an API whose platform sends no HTML.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { viewerHeaders, viewerPage } from "../functions/monkai-api/routes/view.ts";
import { parseOptions, runCommand, UsageError } from "./command-line.ts";
import { buildPages, VIEWER_FOLDER } from "./pages-build.ts";
import { loopback, portProblem, wantedPort } from "./stack/ports.ts";

const USAGE = `Usage: npm run view -- API-URL

Shows the viewer on this machine, for an API whose platform sends no HTML. (\`npm run dev\` has a viewer of its own.)
  API-URL  where the API is, with its version: https://PROJECT.supabase.co/functions/v1/monkai-api/v1
  PORT     in the environment: the page's own port; else 8788`;

await runCommand(USAGE, async (args) => {
  const { positionals } = parseOptions({ args, options: {}, allowPositionals: true });
  const port = wantedPort(8788);
  const api = apiUrl(positionals);
  await requireApi(api);
  await serve(api, port);
});

function apiUrl([given, ...more]: string[]): URL {
  if (!given || more.length > 0) throw new UsageError("Name one API-URL.");
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new UsageError(`API-URL must be an address such as http://127.0.0.1:8787/v1, not "${given}".`);
  }
  return url;
}

async function requireApi({ href }: URL): Promise<void> {
  const url = href.replace(/\/+$/, "");
  const response = await fetch(`${url}/health`).catch(() => undefined);
  if (!response) throw new Error(`Nothing answers at ${url}. Is the API running, and is the address right?`);
  const answer = await response.json().catch(() => undefined);
  if (answer?.status === "ok") return;
  throw new Error(
    `There is no Agent Trace API at ${url}: ${url}/health answers ${response.status}. Is the path whole?`,
  );
}

async function serve(api: URL, port: number): Promise<void> {
  const files = buildPages();
  const address = api.href.replace(/\/+$/, "").replaceAll("&", "&amp;");
  const page = viewerPage(files, { folder: "view/", api: address });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://viewer");
    if (pathname === "/") response.writeHead(200, pageHeaders(api)).end(page);
    else sendFile(response, pathname);
  });
  await once(server.listen(port, loopback), "listening").catch((error) => {
    throw new Error(portProblem(port, error, "npm run view -- API-URL"));
  });
  const { port: actual } = server.address() as { port: number };
  console.log(`Viewer of ${api.href}\nhttp://${loopback}:${actual}/`);
}

function pageHeaders(api: URL): Record<string, string> {
  return { "Content-Type": "text/html; charset=utf-8", ...viewerHeaders(api.origin) };
}

function sendFile(response: ServerResponse, pathname: string): void {
  const [, name, ending] = /^\/view\/([\w-]+\.(js|css))$/.exec(pathname) ?? [];
  if (!name) {
    response.writeHead(404).end();
    return;
  }
  try {
    const content = readFileSync(`${VIEWER_FOLDER}/${name}`);
    const type = ending === "js" ? "text/javascript" : "text/css";
    response.writeHead(200, {
      "Content-Type": `${type}; charset=utf-8`,
      "X-Content-Type-Options": "nosniff",
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}
