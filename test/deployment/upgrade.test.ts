import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { expect, it, onTestFinished } from "vitest";
import { hashTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";
import { ask, repeat, sendOfStory, withApi } from "../support/own-database.ts";
import { type Api, Client } from "../support/tenant.ts";
import type { RecordedRequest, Release } from "./releases/release.ts";
import { READS } from "./releases/story.ts";

const MIGRATIONS = join(ROOT, "supabase/migrations");
const RELEASES = join(ROOT, "test/deployment/releases");
const releases = (await readdir(RELEASES)).filter((file) => file.endsWith(".json"));

/** What the next version might bring: columns in the tables that all requests use, an index, another number. */
const MADE_UP = `
  select internal.begin_migration();
  alter table public.steps add column mood text;
  alter table public.sessions add column colour text not null default 'none';
  alter table public.traces add column weight integer;
  create index steps_by_mood on public.steps (tenant_id, mood) where mood is not null;
  create or replace function public.schema_version() returns bigint
  language sql immutable set search_path = ''
  return 99990101000000;`;

it.each(releases)(
  "from %s on: what it asks goes on while the migrations since, and one more, are applied; all is there",
  async (file) => {
    const release: Release = JSON.parse(await readFile(join(RELEASES, file), "utf8"));
    await withDatabase(async (url, sql) => {
      await migrate(url, await migrationsUntil(release.schema_version));
      await ask(sql, release.token);
      for (const write of release.writes) await repeat(sql, write);
      expect(await repeat(sql, release.retried)).toMatchObject([{ claimed: true }]);
      const before = await readAll(sql, release);

      const other = await writeOnAndOn(url, release);
      await migrate(url, await migrationsAndOneMore());
      const acknowledged = await other.stop();

      expect(await readAll(sql, release)).toEqual(before);
      expect(await repeat(sql, release.retried)).toMatchObject([
        { replay: { request_id: expect.any(String) } },
      ]);
      await withApi(url, async (api) => {
        expect((await api("/v1/health/ready")).status).toBe(200);
        const others = await new Client(api, other.token).get("/v1/sessions");
        expect(others.body.sessions).toMatchObject([{ session_id: "afternoon", step_count: acknowledged }]);
        await expectTheStory(api);
      });
      for (const write of release.writes.slice(1)) await repeat(sql, write);
    });
  },
);

async function expectTheStory(api: Api): Promise<void> {
  for (const read of READS) await sendOfStory(api, read);
  const { body } = await new Client(api, "tk_of_the_recording").get("/v1/sessions/afternoon");
  expect(body).toMatchObject({ step_count: 8, error_count: 1, input_tokens: 1012, trace_count: 4 });
}

/** A folder with the migrations that a release had. */
async function migrationsUntil(version: number): Promise<string> {
  const folder = await copyOfMigrations();
  const newer = (await readdir(folder)).filter((file) => Number.parseInt(file, 10) > version);
  for (const file of newer) await rm(join(folder, file));
  return folder;
}

async function migrationsAndOneMore(): Promise<string> {
  const folder = await copyOfMigrations();
  await writeFile(join(folder, "99990101000000_made_up.sql"), MADE_UP);
  return folder;
}

async function copyOfMigrations(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trace-upgrade-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(MIGRATIONS, folder, { recursive: true });
  return folder;
}

async function readAll(sql: postgres.Sql, { reads }: Release) {
  const answers: [string, unknown[]][] = [];
  for (const read of reads) {
    answers.push([read.request, (await repeat(sql, read)).map(({ data }) => data)]);
  }
  return answers;
}

/** Another tenant's clients, which send one step after the other until they are stopped, while the schedule folds. */
async function writeOnAndOn(url: string, release: Release) {
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  const token = "tk_of_another_tenant";
  const token_hash = await hashTracerToken(token);
  await ask(sql, { ...release.token, payload: { tenant: "other", name: "other", token_hash } });
  await sql`update public.tenants set rate_limits = '{"traces": 1000000}' where name = 'other'`;
  const rules = recorded(release, "PUT /anonymization-rules");
  const toolCall = recorded(release, "POST /traces/tool");
  await repeat(sql, rules, token_hash);

  let stopped = false;
  let acknowledged = 0;
  const goOn = async (act: () => Promise<void>) => {
    while (!stopped) await act();
  };
  const write = async () => {
    await repeat(sql, toolCall, token_hash);
    acknowledged += 1;
  };
  const fold = async () => void (await sql`select public.fold_all()`);
  const going = Promise.all([goOn(write), goOn(write), goOn(write), goOn(fold)]);
  return {
    token,
    /** How many steps were acknowledged. Throws when a call failed. */
    async stop(): Promise<number> {
      stopped = true;
      await going.finally(() => sql.end());
      return acknowledged;
    },
  };
}

function recorded({ writes }: Release, request: string): RecordedRequest {
  const found = writes.find((write) => write.request === request);
  if (!found) throw new Error(`The release has no recorded ${request}.`);
  return found;
}
