import { createServer, type IncomingHttpHeaders } from "node:http";
import { expect } from "vitest";
import { listen, type Server } from "./server.ts";

/** A request as it came by. */
export interface Passed {
  path: string;
  form: string;
  encoding: string;
  body: string;
  /** What the API answered. */
  status: number;
  answer: string;
  /** The client was told 503 instead. */
  isLost: boolean;
}

export interface LossyNetwork extends Server {
  passed: Passed[];
}

/**
 * Stands between a client and the API. The first answer on each path is lost: the API has stored what came, and the client is
 * told 503. Clients that send again send the same then.
 */
export async function startLossyNetwork(api: string): Promise<LossyNetwork> {
  const passed: Passed[] = [];
  const lost = new Set<string>();
  const server = createServer(async (request, answer) => {
    const path = request.url ?? "/";
    const body = Buffer.concat(await request.toArray());
    const answered = await fetch(`${api}${path}`, {
      method: request.method,
      headers: passedOn(request.headers),
      ...(body.length > 0 ? { body } : {}),
    });
    const isLost = answered.ok && !lost.has(path);
    if (isLost) lost.add(path);
    const bytes = Buffer.from(await answered.arrayBuffer());
    passed.push({
      path,
      form: request.headers["content-type"] ?? "",
      encoding: request.headers["content-encoding"] ?? "",
      body: body.toString("base64"),
      status: answered.status,
      answer: bytes.toString(),
      isLost,
    });
    answer.writeHead(isLost ? 503 : answered.status, {
      "Content-Type": answered.headers.get("content-type") ?? "text/plain",
    });
    answer.end(isLost ? "" : bytes);
  });
  return { ...(await listen(server)), passed };
}

/** All but what belongs to the connection. */
const OF_CONNECTION = new Set(["connection", "content-length", "host", "keep-alive", "transfer-encoding"]);

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** That the client has sent to these paths alone, has sent again what it was told 503 for, and that no span was refused. */
export function expectSentTwice(passed: Passed[], paths: string[]): void {
  expect([...new Set(passed.map(({ path }) => path))].sort()).toEqual(paths.toSorted());
  for (const path of paths) {
    const requests = passed.filter((request) => request.path === path);
    const lost = requests.find(({ isLost }) => isLost);
    const again = requests.filter(({ body, isLost }) => body === lost?.body && !isLost);
    expect([path, again.length]).toEqual([path, 1]);
    const answers = requests.map(({ status, answer }) => `${status} ${answer === "{}" ? "" : answer}`);
    expect(answers).toEqual(requests.map(() => "200 "));
  }
}
