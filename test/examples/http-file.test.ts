import { readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { parseHttpFile } from "../support/http-file.ts";
import { newToken } from "../support/tenant.ts";

const text = readFileSync(new URL("../../examples/trace.http", import.meta.url), "utf8");
const base = `${inject("workerdUrl")}/v1`;
const { token } = await newToken();
const made = await fetch(`${base}/scores`, {
  method: "POST",
  headers: { tracer_token: token, "Content-Type": "application/json" },
  body: JSON.stringify({ trace_id: "http-root", name: "helpful", value: true }),
});
const { id: score } = await made.json();
const requests = parseHttpFile(text, { base, token, score });

it.each(requests.map((request) => [`${request.method} ${request.url.slice(base.length)}`, request] as const))(
  "examples/trace.http: %s succeeds",
  async (_, { method, url, headers, body }) => {
    const response = await fetch(url, { method, headers, body });
    expect([response.status, await response.text()]).toEqual([
      method === "POST" && url.endsWith("/register") ? 201 : 200,
      expect.any(String),
    ]);
  },
);

it("examples/trace.http leaves no rule behind: what is sent afterwards is stored as it is", async () => {
  const response = await fetch(`${base}/anonymization-rules`, { headers: { tracer_token: token } });
  expect(await response.json()).toMatchObject({ version: 2, rules: { toggles: {}, custom: [] } });
});

it("examples/trace.http has every operation of the API", async () => {
  const { paths } = await (await fetch(`${base}/openapi.json`)).json();
  const asked = new Set(
    requests.map(({ method, url }) =>
      `${method} ${url.slice(base.length)}`
        .replace(/\?.*/, "")
        .replace("/http-root", "/{trace_id}")
        .replace("/http-session", "/{session_id}")
        .replace(`/${score}`, "/{score_id}")
        .replace("/file_http-root", "/{file_id}"),
    ),
  );
  const operations = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.filter((operation) => !asked.has(operation))).toEqual(["HEAD /health"]);
});
