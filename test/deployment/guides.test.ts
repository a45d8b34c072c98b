import { readdirSync, readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { parseCurl } from "../support/curl.ts";
import { ROOT } from "../support/dev.ts";
import { commandsOf, expectKnown, guides } from "../support/guides.ts";
import { newToken } from "../support/tenant.ts";

it("wrangler knows the guides' commands and all their options", async () => {
  const commands = commandsOf("wrangler");
  expect(new Set(commands).size).toBeGreaterThan(4);
  await expectKnown(commands, "wrangler");
});

it("the guides' curl lines work on both runtimes, and answer what the guides say", async () => {
  const { token } = await newToken();
  const lines = guides.match(/^ *curl .+$/gm) ?? [];
  expect(lines).toHaveLength(4);
  for (const line of lines) {
    const { url, init } = parseCurl(line.trim(), { MONKAI_TRACER_TOKEN: token });
    const here = url
      .replace("https://agent-trace-api.SUBDOMAIN.workers.dev", inject("workerdUrl"))
      .replace("https://PROJECT.supabase.co", inject("denoUrl"));
    const response = await fetch(here, init);
    const answer = url.endsWith("/namespaces") ? '{"namespaces":[]}' : '"status":';
    expect([line, response.status, await response.text()]).toEqual([
      line,
      200,
      expect.stringContaining(answer),
    ]);
  }
});

it("the guides' statements of the schedules are the migration's", () => {
  const statements = [...guides.matchAll(/select (cron\.schedule\(.+\));?\n/g)].map(([, call]) => call);
  expect(statements).toHaveLength(2);
  const migrations = readdirSync(`${ROOT}/supabase/migrations`).map((file) =>
    readFileSync(`${ROOT}/supabase/migrations/${file}`, "utf8"),
  );
  for (const statement of statements) {
    expect(migrations.filter((migration) => migration.includes(`perform ${statement};`))).toHaveLength(1);
  }
});
