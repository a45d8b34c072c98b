import { sign } from "hono/jwt";
import { expect, inject, it, onTestFinished, vi } from "vitest";
import { parseEnv } from "../../functions/monkai-api/env.ts";
import { startApp } from "../../functions/monkai-api/start.ts";
import { newToken } from "../support/tenant.ts";

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

const publishable = "sb_publishable_abcdefghijklmnop";
const legacy = (role: string) => sign({ iss: "supabase", role }, "unknown");

it.each([
  ["the publishable key", { SUPABASE_SERVICE_ROLE_KEY: publishable }],
  ["the legacy anon key", { SUPABASE_SERVICE_ROLE_KEY: await legacy("anon") }],
  ["a publishable key among the secret ones", { SUPABASE_SECRET_KEYS: `{"default":"${publishable}"}` }],
])("%s is refused as service key, in words that do not quote it", (_, keys) => {
  let refusal = "";
  try {
    parseEnv({ SUPABASE_URL, ...keys });
  } catch (error) {
    refusal = (error as Error).message;
  }
  expect(refusal).toContain("SUPABASE_SERVICE_ROLE_KEY: this is a project's public key");
  expect(refusal).not.toMatch(/abcdefghijklmnop|eyJ/);
});

it.each([
  ["a secret key", "sb_secret_abcdefghijklmnop"],
  ["the legacy service_role key", await legacy("service_role")],
  ["a key of another form", "switched-off.with.dots"],
])("%s is taken as service key", (_, SUPABASE_SERVICE_ROLE_KEY) => {
  const env = parseEnv({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY });
  expect(env.SUPABASE_SERVICE_ROLE_KEY).toBe(SUPABASE_SERVICE_ROLE_KEY);
});

it("with a public key nothing is served but health, and neither the answer nor the log quotes it", async () => {
  const said: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line) => void said.push(line));
  onTestFinished(() => void vi.restoreAllMocks());
  const app = startApp({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY: publishable }, async () => undefined);
  const headers = { tracer_token: "tk_any" };
  const response = await app.request("http://api.test/v1/namespaces", { headers });
  const text = await response.text();
  expect([response.status, JSON.parse(text).error.code]).toEqual([500, "internal_error"]);
  expect(said.join()).toContain("a project's public key");
  expect(text + said.join()).not.toMatch(/publishable_a|tk_any/);
  expect(text).not.toMatch(/SUPABASE|public key/);
});

const key = btoa("k".repeat(32));
it.each([
  ["an empty text", "", "key 1: write it as ID=BASE64"],
  ["a key without an id", key, "key 1: write it as ID=BASE64"],
  ["an id with a space in it", `2026 11=${key}`, "key 1: write it as ID=BASE64"],
  [
    "a key that is too short",
    `2026-11=${btoa("k".repeat(31))}`,
    "key 1: what follows the id must be 32 bytes",
  ],
  ["what is no base64", `2026-11=${"%".repeat(44)}`, "key 1: what follows the id must be 32 bytes"],
  ["two keys with one id", `a=${key},b=${key},a=${key}`, "key 3: another one has its id"],
  ["a key and a comma", `a=${key},`, "key 2: write it as ID=BASE64"],
])("%s is refused as CONTENT_KEYS, in words that quote nothing", (_, CONTENT_KEYS, problem) => {
  const parse = () => parseEnv({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY: serviceKey, CONTENT_KEYS });
  expect(parse).toThrow(`CONTENT_KEYS: ${problem}`);
  expect(parse).not.toThrow(/2026|a2tra|%%/);
});

it("CONTENT_KEYS that are good are taken in their order, and none are none", () => {
  const environment = { SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY: serviceKey };
  const { CONTENT_KEYS } = parseEnv({ ...environment, CONTENT_KEYS: `2026-11=${key}, old.1_x=${key}` });
  expect(CONTENT_KEYS?.map(({ id, bytes }) => [id, bytes.length])).toEqual([
    ["2026-11", 32],
    ["old.1_x", 32],
  ]);
  expect(parseEnv(environment).CONTENT_KEYS).toBeUndefined();
});
