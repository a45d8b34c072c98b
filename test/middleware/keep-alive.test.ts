import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject, it } from "vitest";

/** Sends a POST in two parts, with a pause between them, and reads the answer. */
async function post(url: string, agent: Agent): Promise<{ status?: number; socket: unknown }> {
  const sending = request(url, { method: "POST", agent, headers: { "Content-Type": "application/json" } });
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  sending.write('{"session_id":');
  await sleep(50);
  sending.end(`"${"s".repeat(100_000)}"}`);
  const [response] = await answered;
  const { socket } = response;
  await text(response);
  return { status: response.statusCode, socket };
}

it.each(["/v1/traces/llm", "/v1/nothing", "/v1/health"])(
  "POST %s is refused without a look at its body, and the client that is still sending keeps its connection",
  async (path) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const url = inject("workerdUrl") + path;
    const first = await post(url, agent);
    const second = await post(url, agent);
    expect([first.status, second.status]).toEqual(
      Array(2).fill(path.endsWith("llm") ? 401 : path.endsWith("health") ? 405 : 404),
    );
    expect(second.socket).toBe(first.socket);
    agent.destroy();
  },
);
