import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { foundNeedles } from "../support/needles.ts";
import { plantSession } from "../support/planted-session.ts";
import { type Api, type Client, limitTenant, newClient } from "../support/tenant.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const onWorkerd: Api = (path, init) => fetch(`${inject("workerdUrl")}${path}`, init);

async function furnished() {
  const client = await newClient(onWorkerd);
  await limitTenant(client.tenant, { traces: 1000, traces_batch: 1000 });
  return { client, gone: await plantSession(client), kept: await plantSession(client) };
}

const erase = (client: Client, path: string) =>
  client.request(path, { method: "DELETE", headers: { tracer_token: client.token } });

/** The figures that have nobody's name. */
const figures = async (client: Client) => {
  const { body } = await client.get("/v1/usage?by=namespace,agent,model,tool&start_date=2025-10-01");
  return body.rows.map(({ scores: _, ...row }: { scores: unknown }) => row);
};

describe("a dump of the database", { timeout: 60_000 }, () => {
  it.each([
    ["session", ({ session_id }: { session_id: string }) => `/v1/sessions/${encodeURIComponent(session_id)}`],
    ["user", ({ user_id }: { user_id: string }) => `/v1/users/${user_id}`],
  ])(
    "after the erasure of a %s holds nothing that was said there and no name, and the figures stay",
    async (subject, pathOf) => {
      const { client, gone, kept } = await furnished();
      const before = await figures(client);
      expect(gone.needles.length + kept.needles.length).toBeGreaterThan(200);
      const found = await foundNeedles(sql, client.tenant, [...gone.needles, ...kept.needles]);
      expect(found.length).toBeGreaterThan(180);

      const answer = await erase(client, pathOf(gone));
      expect([answer.status, answer.body.remaining_steps]).toEqual([200, 0]);
      expect(answer.body.erased).toEqual({ steps: expect.any(Number), sessions: 1, scores: 6 });
      expect(await foundNeedles(sql, client.tenant, gone.needles)).toEqual([]);
      expect(await foundNeedles(sql, client.tenant, kept.needles)).toEqual(
        found.filter((needle) => kept.needles.includes(needle)),
      );
      expect(await figures(client)).toEqual(before);

      const [row] = await sql`
      select erasures.subject, erasures.is_complete, erasures.steps::int, erasures.token_id from public.erasures
      join public.tenants on tenants.id = tenant_id where tenants.name = ${client.tenant}`;
      expect(row).toEqual({
        subject,
        is_complete: true,
        steps: answer.body.erased.steps,
        token_id: client.tokenId,
      });
      const again = await erase(client, pathOf(gone));
      expect([again.status, again.body.erased]).toEqual([200, { steps: 0, sessions: 0, scores: 0 }]);
      expect(await foundNeedles(sql, client.tenant, gone.needles)).toEqual([]);
    },
  );
});
