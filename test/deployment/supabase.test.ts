import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { migrate } from "../../scripts/stack/migrate.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";

it("the seed makes a tenant without a token, and changes nothing when it runs again", async () => {
  await withDatabase(async (url, sql) => {
    await migrate(url, `${ROOT}/supabase/migrations`);
    const seeded = async () => {
      await sql.unsafe(await readFile(`${ROOT}/supabase/seed.sql`, "utf8"));
      return sql`
        select tenants.id, tenants.name as tenant, namespaces.public_id, namespaces.name,
               (select count(*)::int from public.tracer_tokens) as tokens
        from public.tenants join public.namespaces on namespaces.tenant_id = tenants.id`;
    };
    const once = await seeded();
    expect(once).toMatchObject([{ tenant: "demo", name: "my-agent", tokens: 0 }]);
    expect(await seeded()).toEqual(once);
  });
});
