import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { startWorker } from "../../scripts/stack/worker.ts";
import { appInProcess } from "../support/app.ts";
import { Client, newToken } from "../support/tenant.ts";

const TIMEOUT_SECONDS = 0.5;

/** A REST layer that does as it likes, for one test. */
async function restThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** One that takes connections, and closes them at once. */
async function restThatHangsUp(): Promise<string> {
  const server = createTcpServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const says =
  (status: number, body: string, type = "application/json"): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "Content-Type": type }).end(body);
  };
const pgError = (code: string) => JSON.stringify({ code, message: "said", details: null, hint: null });

const OUTAGES: [string, () => Promise<string>][] = [
  ["refuses connections", async () => `http://127.0.0.1:${await freePort()}`],
  ["hangs up", restThatHangsUp],
  ["never answers", () => restThat(() => {})],
  [
    "answers after 30 seconds",
    () => restThat((_, response) => void setTimeout(() => response.end("{}"), 30_000).unref()),
  ],
  [
    "sends a byte now and then",
    () =>
      restThat((_, response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(" "), 50);
        response.once("close", () => clearInterval(drip));
      }),
  ],
  [
    "stops in the middle of its answer",
    () => restThat((_, response) => void response.writeHead(200).write('{"da')),
  ],
  ["answers with a web page", () => restThat(says(200, "<html>secret</html>", "text/html"))],
  ["answers with a web page and 502", () => restThat(says(502, "<html>secret</html>", "text/html"))],
  ["answers with half of an object", () => restThat(says(200, '{"data": {"secret'))],
  ["answers with nothing", () => restThat(says(200, ""))],
  ["answers with null", () => restThat(says(200, "null"))],
  ["answers with a list", () => restThat(says(200, '["secret"]'))],
  ["has lost its database (PGRST001)", () => restThat(says(503, pgError("PGRST001")))],
  ["does not know the function (PGRST202)", () => restThat(says(404, pgError("PGRST202")))],
  ["refuses the key", () => restThat(says(401, '{"message": "Invalid API key"}'))],
  ["is being shut down (57P01)", () => restThat(says(500, pgError("57P01")))],
  ["has no connection to spare (53300)", () => restThat(says(500, pgError("53300")))],
  ["has lost its connection (08006)", () => restThat(says(500, pgError("08006")))],
  ["has ended a deadlock (40P01)", () => restThat(says(500, pgError("40P01")))],
  ["cannot read its disk (58030)", () => restThat(says(500, pgError("58030")))],
  ["waited too long for a lock (55P03)", () => restThat(says(500, pgError("55P03")))],
];

describe.each(OUTAGES)("when the database %s", (_, start) => {
  it("every request ends in time, in a 503 that says when to come back; health stays up", async () => {
    const app = appInProcess(await start(), "any key", { timeoutSeconds: TIMEOUT_SECONDS });
    const client = new Client(app.api, "tk_any");
    for (const [path, body] of [
      ["/v1/traces/llm", { session_id: "s" }],
      ["/v1/traces/llm", "{"],
      ["/v1/records/export", { namespace: "n" }],
    ] as const) {
      const begun = performance.now();
      const answer = await client.post(path, body, { "X-Request-ID": "r" });
      expect(performance.now() - begun).toBeLessThan(TIMEOUT_SECONDS * 1000 + 2_000);
      expect([path, answer.status, answer.body.error]).toEqual([
        path,
        503,
        {
          code: "internal_error",
          message: "The database is out of order. Please try again in a moment.",
          request_id: "r",
        },
      ]);
      expect(answer.headers.get("retry-after")).toBe("5");
    }
    expect((await client.request("/v1/health/ready")).status).toBe(503);
    expect((await client.request("/v1/health")).status).toBe(200);
    expect(app.problems).toHaveLength(4);
    expect(JSON.stringify(app.problems)).not.toContain("secret");
  });
});

it("the time is the request's: rules that change and change do not make it longer", async () => {
  let version = 0;
  const url = await restThat((_, response) => {
    version += 1;
    const rules = { toggles: {}, custom: [] };
    const late = () =>
      response
        .setHeader("Content-Type", "application/json")
        .end(JSON.stringify({ anonymization: { version, rules } }));
    setTimeout(late, 1_200);
  });
  const { api } = appInProcess(url, "any key", { timeoutSeconds: 2 });
  const answer = await new Client(api, "tk_any").post("/v1/traces/llm", { session_id: "s" });
  expect([answer.status, version]).toEqual([503, 2]);
});

it.each(["22P02", "P0001", "42883"])("an error that a retry would not mend (%s) is 500", async (code) => {
  const app = appInProcess(await restThat(says(400, pgError(code))), "any key");
  const answer = await new Client(app.api, "tk_any").post("/v1/traces/llm", { session_id: "s" });
  expect([answer.status, answer.body.error.code, answer.headers.get("retry-after")]).toEqual([
    500,
    "internal_error",
    null,
  ]);
});

it("a trace whose database is slow is answered 503 in time, and sent again it is there once", async () => {
  const { api } = appInProcess(inject("restUrl"), inject("serviceKey"), { timeoutSeconds: TIMEOUT_SECONDS });
  const { token, tenant } = await newToken();
  const client = new Client(api, token);
  const trace = () => client.post("/v1/traces/llm", { session_id: "s" }, { "Idempotency-Key": "k" });
  const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
  onTestFinished(() => sql.end());
  await sql.begin(async (hold) => {
    await hold`select from tenants where name = ${tenant} for update`;
    const begun = performance.now();
    expect((await trace()).status).toBe(503);
    expect(performance.now() - begun).toBeLessThan(TIMEOUT_SECONDS * 1000 + 2_000);
  });
  await expect.poll(async () => (await trace()).status).toBe(200);
  const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
  expect(body.count).toBe(1);
});

describe("a Worker whose database goes and comes back", () => {
  let isUp = true;
  let url = "";
  const stops: (() => unknown)[] = [];

  beforeAll(async () => {
    const server = createServer(async (request, response) => {
      if (!isUp) return;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { host: _, ...headers } = request.headers as Record<string, string>;
      const answer = await fetch(inject("restUrl") + request.url, {
        method: "POST",
        headers,
        body: Buffer.concat(chunks),
      });
      const type = answer.headers.get("content-type") ?? "";
      response.writeHead(answer.status, { "Content-Type": type }).end(await answer.text());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    const worker = await startWorker({
      supabaseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      serviceKey: inject("serviceKey"),
      timeoutSeconds: 1,
      log: "ignore",
      problems: "ignore",
      adopt: () => {},
    });
    stops.unshift(worker.stop);
    url = worker.url;
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  it("answers 503 while it is gone, and works again without a restart", async () => {
    const { token, tenant, id } = await newToken();
    const client = new Client(async (path, init) => fetch(url + path, init), token, tenant, id);
    const trace = () => client.post("/v1/traces/llm", { session_id: "s" }, { "Idempotency-Key": "k" });
    const statuses = [];
    for (const up of [true, false, true]) {
      isUp = up;
      statuses.push((await trace()).status);
    }
    expect(statuses).toEqual([200, 503, 200]);
    const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
    expect(body.count).toBe(1);
  });
});
