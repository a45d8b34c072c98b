import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from "vitest";
import { readCatalog } from "../../scripts/schema/catalog.ts";
import { type Places, type Written, writeMigration } from "../../scripts/schema/migration.ts";
import { applySource, readSource } from "../../scripts/schema/source.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { Command, ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";

const server = inject("databaseUrl");

/** What the database of a small project is, file by file. */
type Source = Record<string, string>;

const SOURCE: Source = {
  // Uses a schema and a table of files that come after it.
  "00_shared/answers.sql": `-- The answer to everything.
create function internal.answer(thing public.things) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return to_jsonb(answer.thing);
end $$;
`,
  "00_shared/internal.sql": "create schema internal;\n",
  "10_things/list_things.sql": `-- GET /things; é.

-- All things of a tenant.
create function public.list_things(payload jsonb) returns jsonb
language sql stable set search_path = '' as $$
  select internal.count_of(list_things.payload)
$$;

-- How many things there are.
create function internal.count_of(payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return '{"count": 1}'::jsonb;
end $$;
`,
  "10_things/table.sql": `-- Things.
create table public.things (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  name text not null constraint "a name is short" check (length(name) < 30)
);
alter table public.things enable row level security;
create index things_by_tenant on public.things (tenant_id);
create index things_by_name on public.things (name);
comment on table public.things is 'What there is';
`,
  "99_grants.sql": `revoke all on all tables in schema public, internal from public, anon, authenticated;
revoke all on all sequences in schema public, internal from public, anon, authenticated;
revoke all on all functions in schema public, internal from public, anon, authenticated;
grant usage on schema internal to service_role;
grant all on all tables in schema public, internal to service_role;
grant execute on all functions in schema public, internal to service_role;
`,
};

let first: Places;
let places: Places;

const NOW = new Date("2026-11-21T10:20:30.456Z");

beforeAll(async () => {
  first = placesIn(await mkdtemp(join(tmpdir(), "trace-schemas-")));
  await mkdir(first.migrations);
  await declare(first, SOURCE);
  await writeMigration(first, server, { name: "first", now: NOW });
});
afterAll(() => rm(dirname(first.schemas), { recursive: true }));

// Each test works on a copy.
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "trace-schemas-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(dirname(first.schemas), folder, { recursive: true });
  places = placesIn(folder);
});

function placesIn(folder: string): Places {
  return {
    schemas: join(folder, "schemas"),
    migrations: join(folder, "migrations"),
    versionModule: join(folder, "schema-version.ts"),
  };
}

/** Makes the folder say this, and nothing else but the version. */
async function declare({ schemas }: Places, source: Source): Promise<void> {
  const version = await readFile(join(schemas, "00_shared/schema_version.sql"), "utf8").catch(() => "");
  await rm(schemas, { recursive: true, force: true });
  for (const [path, text] of Object.entries({ "00_shared/schema_version.sql": version, ...source })) {
    await mkdir(dirname(join(schemas, path)), { recursive: true });
    await writeFile(join(schemas, path), text);
  }
}

/** The migration from the first source to this one. */
async function nextMigration(source: Source): Promise<Written & { text: string }> {
  await declare(places, source);
  const written = await writeMigration(places, server, { name: "next" });
  if (!written) throw new Error("There was nothing to write.");
  return { ...written, text: await readFile(written.file, "utf8") };
}

async function expectSameCatalogs(): Promise<void> {
  await withDatabase(async (migrated) => {
    await migrate(migrated, places.migrations);
    await withDatabase(async (declared) => {
      await applySource(declared, await readSource(places.schemas));
      expect(await readCatalog(migrated)).toEqual(await readCatalog(declared));
    });
  });
}

function edited(source: Source, path: string, ...edits: [string, string][]): Source {
  return {
    ...source,
    [path]: edits.reduce((text, [from, to]) => {
      expect(text).toContain(from);
      return text.replace(from, () => to);
    }, source[path] ?? ""),
  };
}

it("the first migration is all source files, each under its path, in an order that works", async () => {
  const [file = ""] = await readdir(places.migrations);
  const text = await readFile(join(places.migrations, file), "utf8");
  for (const [path, said] of Object.entries(SOURCE))
    expect(text).toContain(`-- supabase/schemas/${path}\n${said}`);
  await expectSameCatalogs();
});

it("a migration's number is the time, and it becomes the schema's version in SQL and in TypeScript", async () => {
  expect(await readdir(places.migrations)).toEqual(["20261121102030_first.sql"]);
  expect((await import(places.versionModule)).SCHEMA_VERSION).toBe(20261121102030);
  const [file] = await readSource(places.schemas).then((files) =>
    files.filter(({ path }) => path === "00_shared/schema_version.sql"),
  );
  expect(file?.text).toContain("return 20261121102030;");
});

it("where there is no difference nothing is written", async () => {
  expect(await writeMigration(places, server, { name: "again" })).toBeUndefined();
  expect(await readdir(places.migrations)).toEqual(["20261121102030_first.sql"]);
});

it("a migration of what is stored is written where it is asked for, with a number after the newest", async () => {
  const written = await writeMigration(places, server, { name: "data", forData: true, now: NOW });
  expect(written).toEqual({
    file: join(places.migrations, "20261121102031_data.sql"),
    losses: [],
    missing: [],
  });
  expect(await readFile(written?.file ?? "", "utf8")).toContain(
    "-- Write here what becomes of what is stored.",
  );
});

describe("the next migration", () => {
  it("has a changed function as the source writes it, with the comment above it and nothing else of the file", async () => {
    const { text, missing } = await nextMigration(
      edited(SOURCE, "10_things/list_things.sql", ['{"count": 1}', '{"count": 2}']),
    );
    expect(missing).toEqual([]);
    expect(text).toContain(`-- How many things there are.
create or replace function internal.count_of(payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return '{"count": 2}'::jsonb;
end $$;
`);
    expect(text).not.toContain("list_things");
  });

  it("has new columns, tables, indexes, triggers and types, what was dropped, and the grants at its end", async () => {
    const table: [string, string][] = [
      ["tenant_id uuid not null,", "tenant_id uuid not null,\n  color public.color not null default 'red',"],
      ["length(name) < 30", "length(name) < 60"],
      ["create index things_by_name on public.things (name);\n", ""],
      ["What there is", `What there is, it''s "all"`],
    ];
    const color = "create type public.color as enum ('red', 'green');\n";
    const parts = `-- What things are made of.
create table internal.parts (
  thing_id bigint not null references public.things (id) on delete cascade, -- gone with it
  number integer not null default 1,
  made_of public.color,
  primary key (thing_id, number)
) with (fillfactor = 70);
alter table internal.parts enable row level security;
alter table internal.parts replica identity full;

-- The newest first.
create index parts_by_number on internal.parts (number desc) where made_of is not null;
create view internal.part_numbers with (security_invoker) as select parts.number from internal.parts;

create function internal.on_part() returns trigger
language plpgsql set search_path = '' as $$
begin
  return new;
end $$;
create trigger parts_are_noticed before insert on internal.parts
for each row execute function internal.on_part();
`;
    const after = edited(
      { ...SOURCE, "10_things/color.sql": color, "20_parts/parts.sql": parts },
      "10_things/table.sql",
      ...table,
    );
    const { text, missing, losses } = await nextMigration(after);
    expect([missing, losses]).toEqual([[], []]);
    expect(text).toContain(`'What there is, it''s "all"'`);
    expect(text).toContain("drop index public.things_by_name;");
    expect(text).toMatch(
      /alter table public\.things\s+add column color public\.color not null default 'red'/,
    );
    expect(text).toContain("-- What things are made of.\ncreate table internal.parts (\n");
    expect(text).toContain("on delete cascade, -- gone with it\n");
    expect(text).toContain("-- The newest first.\ncreate index parts_by_number");
    expect(text).toContain(`-- supabase/schemas/99_grants.sql\n${SOURCE["99_grants.sql"]}`);
    await expectSameCatalogs();
  });

  it("begins by what holds requests back, where the source declares that", async () => {
    const begin = `create function internal.begin_migration() returns void
language sql set search_path = '' as $$ select $$;
`;
    const { text } = await nextMigration({ ...SOURCE, "20_parts/begin_migration.sql": begin });
    expect(text).toContain("set check_function_bodies = off;\n\nselect internal.begin_migration();\n");
  });

  it("replaces a function that returns something else, and drops one that is gone", async () => {
    const { "00_shared/answers.sql": _, ...others } = SOURCE;
    const { text, missing } = await nextMigration(
      edited(others, "10_things/list_things.sql", [
        "internal.count_of(payload jsonb) returns jsonb",
        "internal.count_of(payload jsonb, more text default '') returns jsonb",
      ]),
    );
    expect(missing).toEqual([]);
    expect(text).toContain("drop function internal.answer(public.things);");
    expect(text).toContain("drop function internal.count_of(jsonb);");
  });

  it("says in the file and in its answer what takes stored data away", async () => {
    const { text, losses } = await nextMigration(
      edited(SOURCE, "10_things/table.sql", ["tenant_id uuid not null,\n", ""], ["(tenant_id)", "(id)"]),
    );
    expect(losses).toEqual([expect.stringMatching(/^alter table public\.things\s+drop column tenant_id$/)]);
    expect(text).toContain(`-- This takes stored data away.\n${losses[0]};`);
  });

  it("names what is to be written by hand, where the tool cannot write it", async () => {
    const { missing } = await nextMigration(
      edited(SOURCE, "10_things/table.sql", [
        "comment on",
        "alter table public.things alter column name set storage external;\ncomment on",
      ]),
    );
    expect(missing).toEqual([expect.stringMatching(/^column public\.things\.name is .* and should be .*$/)]);
  });

  it("follows a change of the grants alone", async () => {
    const { missing } = await nextMigration(
      edited(SOURCE, "99_grants.sql", [
        "grant all on all tables in schema public, internal to service_role;",
        "revoke all on all tables in schema public, internal from service_role;\n" +
          "grant select on all tables in schema public, internal to service_role;",
      ]),
    );
    expect(missing).toEqual([]);
  });
});

it("a mistake in a source file is told with the file and the line, and nothing is written", async () => {
  await declare(places, edited(SOURCE, "10_things/table.sql", ["not null,\n  name", "not null\n  name"]));
  await expect(writeMigration(places, server, { name: "next" })).rejects.toThrow(
    /^10_things\/table\.sql:5: syntax error at or near "name"$/,
  );
  expect(await readdir(places.migrations)).toHaveLength(1);
});

it.each([[""], ["Two Words"], ["--nothing"]])(
  "npm run db:migration with %j for a name says how to call it",
  async (name) => {
    const { code, stdout, stderr } = await new Command("node", [
      join(ROOT, "scripts/migration.ts"),
      ...name.split(" "),
    ]).ended;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/npm run db:migration -- \w+/);
  },
);
