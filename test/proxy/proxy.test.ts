import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { type RunningProxy, startProxyOnEdge, startProxyOnWorkerd } from "../support/proxy.ts";

/** Answers with what reached it, at the path of the function. */
let echo: Server;
let upstream: string;

beforeAll(async () => {
  echo = createServer(async (incoming, answer) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    answer.writeHead(incoming.url?.includes("teapot") ? 418 : 200, {
      ...{
        Connection: "X-Hop",
        "X-Hop": "1",
        "Keep-Alive": "timeout=1",
        "CF-Ray": "1",
        "Set-Cookie": ["a=1", "b=2"],
      },
      ...{ "Content-Type": "application/json", "RateLimit-Limit": "60", "WWW-Authenticate": "Bearer" },
    });
    answer.end(
      JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }),
    );
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => echo.once("listening", resolve));
  upstream = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/functions/v1/monkai-api`;
});

afterAll(() => new Promise((resolve) => echo.close(resolve)));

interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A request whose path and headers are sent as they stand: `fetch` would tidy them up. */
function raw(url: string, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers }, async (answer) => {
      let body = "";
      for await (const chunk of answer) body += chunk;
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe.each([
  ["Vercel's edge runtime", startProxyOnEdge],
  ["workerd", startProxyOnWorkerd],
])("the proxy on %s", (_, start) => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await start(upstream);
  });
  afterAll(() => proxy.stop());

  it.each([
    ["/trace/v1/health", "/v1/health"],
    ["/trace/health", "/health"],
    ["/trace/api/v1/traces?limit=1&project_id=a%2Fb", "/api/v1/traces?limit=1&project_id=a%2Fb"],
    ["/trace", ""],
    ["/trace//v1///health", "/v1/health"],
    ["/trace//evil.test/v1", "/evil.test/v1"],
    ["/trace/@evil.test", "/@evil.test"],
    ["/trace/v1/../v1/health", "/v1/health"],
    ["/trace/v1/%E2%98%83?q=%00", "/v1/%E2%98%83?q=%00"],
  ])("%s goes to the function's %s", async (path, expected) => {
    const { status, body } = await raw(proxy.url, path);
    expect([status, JSON.parse(body).url]).toEqual([200, `/functions/v1/monkai-api${expected}`]);
  });

  it.each([
    "/",
    "/other",
    "/tracer/v1/health",
    "/trace/../admin",
    "/trace/%2e%2e/admin",
    "/trace/v1/..%2f..%2fadmin",
    "/trace/v1/..%5Cadmin",
    "/trace/\\..\\..\\admin",
    "//evil.test/x",
  ])("%s is 404 not_found, with X-Request-ID", async (path) => {
    const { status, headers, body } = await raw(proxy.url, path, { "X-Request-ID": "mine" });
    expect([status, headers["x-request-id"]]).toEqual([404, "mine"]);
    expect(JSON.parse(body).error).toMatchObject({ code: "not_found", request_id: "mine" });
  });

  it("hands on what the client says, but for what belongs to its connection or to the platform", async () => {
    const { body } = await raw(proxy.url, "/trace/v1/x", {
      ...{ Authorization: "Bearer tk_1", tracer_token: "tk_2", "Idempotency-Key": "k", "X-Request-ID": "id" },
      ...{ Connection: "X-Secret-Hop", "X-Secret-Hop": "1", TE: "trailers", "Proxy-Connection": "close" },
      ...{
        "CF-Connecting-IP": "6.6.6.6",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Anything": "6",
        Forwarded: "for=6",
      },
      ...{ "X-Real-IP": "7.7.7.7", "X-Vercel-IP-Country": "BR" },
    });
    const { headers } = JSON.parse(body);
    expect(headers).toMatchObject({
      ...{ authorization: "Bearer tk_1", tracer_token: "tk_2", "idempotency-key": "k", "x-request-id": "id" },
      ...{
        "x-forwarded-host": new URL(proxy.url).host,
        "x-forwarded-proto": "http",
        "x-forwarded-for": "7.7.7.7",
      },
      host: new URL(upstream).host,
    });
    for (const name of [
      "x-secret-hop",
      "te",
      "proxy-connection",
      "cf-connecting-ip",
      "x-forwarded-anything",
      "forwarded",
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
    expect(headers).not.toHaveProperty("x-vercel-ip-country");
  });

  it("hands the answer back: status, headers and body, but for what belongs to the connection", async () => {
    const { status, headers } = await raw(proxy.url, "/trace/teapot");
    expect(status).toBe(418);
    expect(headers).toMatchObject({
      "ratelimit-limit": "60",
      "www-authenticate": "Bearer",
      "set-cookie": ["a=1", "b=2"],
    });
    for (const name of ["x-hop", "cf-ray"]) expect(headers).not.toHaveProperty(name);
  });

  it("methods and bodies pass as they are", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const sent = { method, body: "São João \u0000", headers: { "Content-Type": "text/plain" } };
      const answer = await (await fetch(`${proxy.url}/trace/v1/x`, sent)).json();
      expect([answer.method, answer.body, answer.headers["content-type"]]).toEqual([
        method,
        sent.body,
        "text/plain",
      ]);
    }
    const head = await fetch(`${proxy.url}/trace/v1/x`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("an id out of form is replaced by a UUIDv4", async () => {
    const { headers } = await raw(proxy.url, "/other", { "X-Request-ID": "x".repeat(129) });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ["cannot be reached", async () => `http://127.0.0.1:${await freePort()}`],
    ["is not set", async () => undefined],
    ["has no good port", async () => "https://project.supabase.co:99999/functions/v1/monkai-api"],
    ["is no URL", async () => "project.supabase.co/functions/v1/monkai-api"],
    ["has no host", async () => "https://"],
    ["is no server of HTTP", async () => "postgres://127.0.0.1:1/postgres"],
  ])("is 502 internal_error when the upstream %s", async (__, address) => {
    const lost = await start(await address());
    try {
      const answer = await fetch(`${lost.url}/trace/v1/health`, { headers: { "X-Request-ID": "id" } });
      expect([answer.status, answer.headers.get("x-request-id")]).toEqual([502, "id"]);
      expect((await answer.json()).error).toMatchObject({ code: "internal_error", request_id: "id" });
    } finally {
      await lost.stop();
    }
  });
});
