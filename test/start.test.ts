import { expect, inject, it } from "vitest";
import { startApp } from "../functions/monkai-api/start.ts";
import { newToken } from "./support/tenant.ts";

const SUPABASE_URL = inject("restUrl");
const serviceKey = inject("serviceKey");

it.each([
  ["the secret key called default goes before the service role key", { default: serviceKey }, "switched-off"],
  ["the service role key is used where no secret key is called default", { other: "another's" }, serviceKey],
])("on Supabase, %s", async (_, secretKeys, SUPABASE_SERVICE_ROLE_KEY) => {
  const SUPABASE_SECRET_KEYS = JSON.stringify(secretKeys);
  const environment = { SUPABASE_URL, SUPABASE_SECRET_KEYS, SUPABASE_SERVICE_ROLE_KEY };
  const app = startApp(environment, async () => undefined);
  const { token } = await newToken();
  const response = await app.request("http://api.test/v1/namespaces", { headers: { tracer_token: token } });
  expect(response.status).toBe(200);
});

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
