import { describe, expect, inject, it } from "vitest";
import { appInProcess } from "../support/app.ts";
import { type Api, newClient } from "../support/tenant.ts";

const at =
  (url: string): Api =>
  (path, init) =>
    fetch(url + path, init);

// Not through the proxy, which lets no encoded slash through.
describe.each<[string, Api]>([
  ["Node", appInProcess(inject("restUrl"), inject("serviceKey")).api],
  ["workerd", at(inject("workerdUrl"))],
  ["Deno", at(inject("denoUrl"))],
])("on %s", (_, api) => {
  it.each(["a/b", "../s", "s/steps", "/", "create/"])(
    "the session %j is found by its id",
    async (session_id) => {
      const client = await newClient(api);
      await client.post("/v1/traces/log", { session_id, message: "m" });
      const path = `/v1/sessions/${encodeURIComponent(session_id)}`;
      const { status, body } = await client.get(path);
      expect([status, body.session_id, body.step_count]).toEqual([200, session_id, 1]);
      expect((await client.get(`${path}/steps`)).body.count).toBe(1);
    },
  );
});
