import { expect, inject, it } from "vitest";
import { parseCurl } from "../support/curl.ts";
import { newToken } from "../support/tenant.ts";
import { CURL_SAMPLES, rehost } from "./curl-samples.ts";

it.each(CURL_SAMPLES)("the $source's sample gets its documented answer: $curl", async ({ curl, answer }) => {
  const { token } = await newToken();
  const line = curl.replace("YOUR_TOKEN_HERE", token);
  const { url, init } = parseCurl(line, { MONKAI_TRACER_TOKEN: token });
  const response = await fetch(inject("workerdUrl") + rehost(url), init);
  expect(response.status).toBe(200);
  if (typeof answer === "string") expect(await response.text()).toMatch(answer);
  else expect(await response.json()).toMatchObject(answer);
  const sent = new Headers(init.headers).get("x-request-id");
  expect(response.headers.get("x-request-id")).toEqual(sent ?? expect.any(String));
});
