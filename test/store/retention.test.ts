import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { RATE_LIMITS } from "../../functions/monkai-api/rate-limits.ts";
import { ask, type Call, readsAbout } from "../support/operations.ts";
import { plantSession } from "../support/planted-session.ts";
import { type Api, type Client, limitTenant, newClient } from "../support/tenant.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const onWorkerd: Api = (path, init) => fetch(`${inject("workerdUrl")}${path}`, init);

const LIMITS = Object.fromEntries(Object.keys(RATE_LIMITS).map((bucket) => [bucket, 10_000]));

/** A session that has a text of its own in every field, and how to ask for each thing in it. */
async function furnished() {
  const client = await newClient(onWorkerd);
  await limitTenant(client.tenant, LIMITS);
  const { needles, session_id, user_id } = await plantSession(client);
  const { body: traces } = await client.get("/v1/traces?limit=100");
  const steps = await sql`
    select steps.id from public.steps join public.tenants on tenants.id = tenant_id where tenants.name = ${client.tenant}`;
  const names = { namespace: "n", session_id, agent: "a", project_id: traces.data[0].project_id, said: "" };
  const get = (path: string): Call => ({ method: "GET", path: `/v1${path}` });
  const calls = [
    ...steps.flatMap(({ id }) => readsAbout({ ...names, step_id: id, trace_id: "t" })["GET /steps"]),
    ...traces.data.flatMap(({ id }: { id: string }) =>
      Object.values(readsAbout({ ...names, step_id: steps[0]?.id, trace_id: id })).flat(),
    ),
    ...["user", "agent,user"].map((by) => get(`/usage?by=${by}&start_date=2020-01-01`)),
    get("/usage?by=user,hour"),
    get(`/sessions?user_id=${user_id}`),
    {
      method: "POST",
      path: "/v1/steps/query",
      body: { query: { start_date: "2020-01-01T00:00:00Z", limit: 100 } },
    },
  ].filter(
    (call, place, all) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(call)) === place,
  );
  return { client, needles, session_id, user_id, calls };
}

/** Those of the texts that anything says which reads. */
async function shownNeedles(client: Client, needles: string[], calls: Call[]): Promise<string[]> {
  const answers: string[] = [];
  for (const call of calls) {
    const answer = await ask(client, call);
    expect([call, answer]).toEqual([call, expect.stringMatching(/^(200|404) /)]);
    answers.push(answer);
  }
  const said = answers.join("\n");
  return needles.filter((needle) => said.includes(needle.slice(-18)));
}

/** Rules by which all that has arrived until now is due, and nothing of it deleted. */
async function makeDue({ tenant }: Client, rule: object): Promise<void> {
  const rules = sql.json({ content_days: null, days: null, ...rule, namespaces: {} });
  await sql`
    insert into public.retention (tenant_id, rules) select id, ${rules} from public.tenants where name = ${tenant}`;
  await sql`insert into public.retention_runs (tenant_id, version) select id, 1 from public.tenants where name = ${tenant}`;
}

async function forgetAll(client: Client): Promise<void> {
  do await sql`select public.forget_due()`;
  while ((await client.get("/v1/retention")).body.catching_up);
}

describe("what is kept no longer, before it is deleted", { timeout: 60_000 }, () => {
  it("is shown by nothing that reads: no word of it, no name, no id", async () => {
    const { client, needles, calls, session_id, user_id } = await furnished();
    expect((await shownNeedles(client, needles, calls)).length).toBeGreaterThan(75);
    await makeDue(client, { days: -2 });
    expect(await shownNeedles(client, needles, calls)).toEqual([]);
    expect((await client.get(`/v1/sessions/${encodeURIComponent(session_id)}`)).status).toBe(404);
    const again = await client.post("/v1/sessions/get-or-create", { namespace: "n", user_id });
    expect([again.status, again.body.reused]).toEqual([200, false]);
    const { body } = await client.get("/v1/usage?by=user&start_date=2020-01-01");
    expect(body.rows.map((row: { user: string | null }) => row.user)).toEqual([null]);
    const theirs = await client.get(
      `/v1/usage?by=agent&user_id=${encodeURIComponent(user_id)}&start_date=2020-01-01`,
    );
    expect([theirs.status, theirs.body.rows]).toEqual([200, []]);
  });

  it("is shown, where only what was said is kept no longer, as it is once that is taken away", async () => {
    const { client, needles, calls } = await furnished();
    await makeDue(client, { content_days: -2 });
    const before = await shownNeedles(client, needles, calls);
    await forgetAll(client);
    const after = await shownNeedles(client, needles, calls);
    expect(after.length).toBeGreaterThan(5);
    expect(before).toEqual(after);
  });
});
