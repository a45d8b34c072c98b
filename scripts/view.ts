// `npm run view -- API-URL`: the viewer on one's own machine, for an API whose platform sends no HTML.
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { viewerHeaders, viewerPage } from "../functions/monkai-api/routes/view.ts";
import { buildPages, VIEWER_FOLDER } from "./pages-build.ts";
import { explain } from "./stack/explain.ts";
import { loopback } from "./stack/ports.ts";

const USAGE = `Usage: npm run view -- API-URL

API-URL is where the API is, with its version: https://PROJECT.supabase.co/functions/v1/monkai-api/v1
PORT is the page's own port: 8788 when left out.`;

try {
  await serve(apiUrl(process.argv[2]), Number(process.env.PORT || 8788));
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

function apiUrl(given: string | undefined): URL {
  if (!given || !URL.canParse(given)) throw new Error(USAGE);
  const url = new URL(given);
  if (!/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) throw new Error(USAGE);
  return url;
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
  await new Promise((resolve, reject) =>
    server.once("error", reject).listen(port, loopback, () => resolve(0)),
  );
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
