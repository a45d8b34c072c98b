import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type postgres from "postgres";
import { expect, it } from "vitest";
import { migrate } from "../../scripts/stack/migrate.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";
import { ask, repeat, sendOfStory, withApi } from "../support/own-database.ts";
import type { Release } from "./releases/release.ts";
import { READS } from "./releases/story.ts";

const MIGRATIONS = join(ROOT, "supabase/migrations");
const release: Release = JSON.parse(
  await readFile(join(ROOT, "test/deployment/releases/0.2.0.json"), "utf8"),
);

it("rows alone, loaded into a database that has the migrations, are the same API", async () => {
  await withDatabase(async (oldUrl, old) => {
    await migrate(oldUrl, MIGRATIONS);
    await ask(old, release.token);
    for (const write of release.writes) await repeat(old, write);
    const before = await answers(oldUrl);

    await withDatabase(async (newUrl, restored) => {
      await migrate(newUrl, MIGRATIONS);
      await copyRows(old, restored);
      expect(await answers(newUrl)).toEqual(before);
      for (const write of release.writes.slice(1)) await repeat(restored, write);
    });
  });
});

/** What the API over this database answers to all that the story reads. */
async function answers(url: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  await withApi(url, async (api) => {
    for (const read of READS) found.push([read.path, await sendOfStory(api, read)]);
  });
  return found;
}

/** As `pg_dump --data-only` and psql do: by `copy`, table by table, without triggers, and then the sequences. */
async function copyRows(from: postgres.Sql, to: postgres.Sql): Promise<void> {
  await to`set session_replication_role = replica`;
  for (const { name, columns } of await tables(from)) {
    const readable = await from.unsafe(`copy ${name} (${columns}) to stdout`).readable();
    await pipeline(readable, await to.unsafe(`copy ${name} (${columns}) from stdin`).writable());
  }
  for (const { name, value } of await sequences(from)) {
    await to`select setval(${name}, ${value})`;
  }
  await to`set session_replication_role = default`;
}

function tables(sql: postgres.Sql) {
  return sql<{ name: string; columns: string }[]>`
    select c.oid::regclass::text as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'internal'::regnamespace)
      and a.attgenerated = ''
    group by c.oid`;
}

function sequences(sql: postgres.Sql) {
  return sql<{ name: string; value: string }[]>`
    select format('%I.%I', schemaname, sequencename) as name, last_value as value
    from pg_sequences where schemaname in ('public', 'internal') and last_value is not null`;
}
