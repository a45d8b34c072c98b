import { expect, it } from "vitest";
import { startApp } from "../functions/monkai-api/start.ts";

it("without its configuration the API still answers in the envelope, and health is up", async () => {
  const app = startApp({}, async () => undefined);
  expect((await app.request("http://api.test/v1/health")).status).toBe(200);
  const response = await app.request("http://api.test/v1/sessions/create", {
    method: "POST",
    headers: { tracer_token: "tk_any", "Content-Type": "application/json" },
    body: '{"namespace":"n"}',
  });
  expect(response.status).toBe(500);
  expect(response.headers.get("x-request-id")).toBeTruthy();
  expect(await response.json()).toMatchObject({ error: { code: "internal_error" } });
});
