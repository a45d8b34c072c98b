import type postgres from "postgres";

/** Texts that are like no other, to look for wherever something is stored. */
export class Needles {
  readonly all: string[] = [];

  /** A new one; a plain one fits into ids, the others have a letter beyond ASCII and a quote. */
  plain(): string {
    const needle = `needle-${crypto.randomUUID().slice(0, 18)}`;
    this.all.push(needle);
    return needle;
  }

  text(): string {
    const needle = `N\u00e4del "${crypto.randomUUID().slice(0, 18)}`;
    this.all.push(needle);
    return needle;
  }

  /** The same value with another text in the place of each in it, but for those of members with these names. */
  in<Value>(value: Value, kept: string[]): Value {
    return JSON.parse(JSON.stringify(value), (name, member) =>
      typeof member === "string" && !kept.includes(name) ? this.text() : member,
    );
  }
}

/** Those of the needles that stand in any column of any row of a tenant: as text, escaped, in hex or in base64. */
export async function foundNeedles(sql: postgres.Sql, tenant: string, needles: string[]): Promise<string[]> {
  const dump = await dumpOf(sql, tenant);
  return needles.filter((needle) => formsOf(needle).some((form) => dump.includes(form)));
}

async function dumpOf(sql: postgres.Sql, tenant: string): Promise<string> {
  const tables = await sql`
    select oid::regclass::text as name, exists (
      select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped) as is_owned
    from pg_class where relkind in ('r', 'p') and relnamespace in ('public'::regnamespace, 'internal'::regnamespace)`;
  const [owner] = await sql`select id from public.tenants where name = ${tenant}`;
  const rows: string[] = [];
  for (const { name, is_owned } of tables) {
    const own = is_owned ? sql`where tenant_id = ${owner?.id}` : sql``;
    for (const { line } of await sql`select to_jsonb(one)::text as line from ${sql(name)} one ${own}`)
      rows.push(line);
  }
  return rows.join("\n");
}

function formsOf(needle: string): string[] {
  const bytes = Buffer.from(needle);
  const once = JSON.stringify(needle).slice(1, -1);
  const ascii = once.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // What is next to it changes the first and the last characters.
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  const escaped = [needle, once, ascii].flatMap((form) => [form, JSON.stringify(form).slice(1, -1)]);
  return [...escaped, bytes.toString("hex"), ...shifted];
}
