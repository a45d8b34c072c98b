import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { type Client, newClient } from "../support/tenant.ts";

const api = (path: string, init?: RequestInit) => fetch(inject("workerdUrl") + path, init);

const BODY = '{"session_id":"s"}';

/** A connection to the API in workerd, for one test. */
async function connection(): Promise<Socket> {
  const { hostname, port } = new URL(inject("workerdUrl"));
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Sends bytes and nothing after them; what comes back until the other side ends, or says nothing more. */
async function exchange(sent: string): Promise<string> {
  const socket = await connection();
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.end(sent, "latin1");
  // Not once(): that fails where the other side resets the connection, which it may.
  await Promise.race([new Promise((resolve) => socket.once("close", resolve)), sleep(2_000)]);
  return received;
}

const head = (client: Client, ...headers: string[]) =>
  [
    "POST /v1/traces/llm HTTP/1.1",
    "Host: a",
    `tracer_token: ${client.token}`,
    "Content-Type: application/json",
  ]
    .concat(headers)
    .map((line) => `${line}\r\n`)
    .join("");

/** The statuses of all answers that came over one connection. */
const statuses = (received: string) =>
  [...received.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));

async function stored(client: Client): Promise<number> {
  const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
  return body.count;
}

const chunked = (client: Client, body: string, ...headers: string[]) =>
  `${head(client, "Transfer-Encoding: chunked", "Connection: close", ...headers)}\r\n${body}`;
const sized = (client: Client, length: string, ...headers: string[]) =>
  `${head(client, `Content-Length: ${length}`, "Connection: close", ...headers)}\r\n${BODY}`;

const BROKEN: [name: string, request: (client: Client) => string][] = [
  ["a body shorter than its Content-Length", (client) => sized(client, "1000")],
  ["a body longer than its Content-Length", (client) => sized(client, "10")],
  ["a Content-Length past 2^64", (client) => sized(client, "99999999999999999999")],
  ["a chunk without end", (client) => chunked(client, `12\r\n${BODY}`)],
  ["chunks without a last one", (client) => chunked(client, `12\r\n${BODY}\r\n`)],
  ["a chunk's size that is no number", (client) => chunked(client, `zz\r\n${BODY}\r\n0\r\n\r\n`)],
  ["a zero byte within a header", (client) => sized(client, "18", "X-Request-ID: a\0b")],
  ["a header of 1 MiB", (client) => sized(client, "18", `X-Request-ID: ${"x".repeat(1024 * 1024)}`)],
];

const UNREADABLE: typeof BROKEN = [
  ["a negative Content-Length", (client) => sized(client, "-18")],
  ["a Content-Length that is no number", (client) => sized(client, "18, 18a")],
  ["two Content-Lengths", (client) => sized(client, "18", "Content-Length: 5")],
];

describe("a connection that does not keep to HTTP", () => {
  it.each(BROKEN)("%s is a 4xx or cut off, and nothing is stored", async (_, request) => {
    const client = await newClient(api);
    const received = await exchange(request(client));
    expect(received).not.toMatch(/^x-injected/im);
    for (const status of statuses(received)) expect([400, 413, 431]).toContain(status);
    expect(await stored(client)).toBe(0);
  });

  it.each(UNREADABLE)("%s is refused by workerd itself, and nothing is stored", async (_, request) => {
    const client = await newClient(api);
    const received = await exchange(request(client));
    expect(statuses(received)).not.toContain(200);
    expect(received).not.toContain("trace_id");
    expect(await stored(client)).toBe(0);
  });

  it("a lone carriage return in a header gets nothing into the answer", async () => {
    const client = await newClient(api);
    const received = await exchange(sized(client, "18", "X-Request-ID: a\rX-Injected: yes"));
    expect(statuses(received)).toHaveLength(1);
    expect(received).toMatch(/^x-request-id: /im);
    expect(received).not.toMatch(/^x-injected/im);
  });

  it("a Content-Length beside chunks does not lift the limit", async () => {
    const client = await newClient(api);
    const body = `{"session_id":"s"${" ".repeat(1_100_000)}}`;
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect(statuses(await exchange(chunked(client, chunk, "Content-Length: 5")))).toEqual([413]);
    expect(await stored(client)).toBe(0);
  });

  it("one byte a chunk is a body like any other", async () => {
    const client = await newClient(api);
    const chunks = [...BODY].map((character) => `1\r\n${character}\r\n`).join("");
    const received = await exchange(chunked(client, `${chunks}0\r\n\r\n`));
    expect(statuses(received)).toEqual([200]);
    expect(await stored(client)).toBe(1);
  });

  it("bodies that never come hold up nobody else", async () => {
    const client = await newClient(api);
    for (let open = 0; open < 50; open += 1) {
      const socket = await connection();
      socket.write(`${head(client, "Content-Length: 18")}\r\n{`);
    }
    const begun = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => client.post("/v1/traces/llm", { session_id: "s" })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(await stored(client)).toBe(10);
  });

  it("a slow body is read to its end", async () => {
    const client = await newClient(api);
    const socket = await connection();
    socket.write(`${head(client, "Content-Length: 18", "Connection: close")}\r\n`);
    for (const character of BODY) {
      socket.write(character);
      await sleep(20);
    }
    const [answer] = await once(socket, "data");
    expect(statuses(String(answer))).toEqual([200]);
    expect(await stored(client)).toBe(1);
  });
});
