import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** What `supabase functions deploy` has uploaded. */
export interface Upload {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads it as it comes
  metadata: any;
  files: File[];
}

/** Stands in for Supabase's own API, as far as deploying a function needs it. */
export async function startManagementApi(): Promise<{ url: string; uploads: Upload[]; stop: () => void }> {
  const uploads: Upload[] = [];
  const server = createServer(async (request, response) => {
    const isUpload = request.method === "POST" && request.url?.includes("/functions/deploy?slug=monkai-api");
    if (isUpload) uploads.push(await readUpload(request));
    response.writeHead(isUpload ? 201 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(isUpload ? deployed : {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, uploads, stop: () => server.close() };
}

const deployed = {
  id: "00000000-0000-4000-8000-000000000000",
  slug: "monkai-api",
  name: "monkai-api",
  status: "ACTIVE",
  version: 1,
  created_at: 1,
  updated_at: 1,
};

async function readUpload(request: IncomingMessage): Promise<Upload> {
  const headers = { "Content-Type": request.headers["content-type"] ?? "" };
  const form = await new Response(Readable.toWeb(request) as ReadableStream, { headers }).formData();
  return {
    metadata: JSON.parse(String(form.get("metadata"))),
    files: form.getAll("file").filter((file) => file instanceof File),
  };
}
