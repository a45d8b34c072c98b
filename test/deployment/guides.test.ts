import { readdirSync, readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { parseCurl } from "../support/curl.ts";
import { ROOT } from "../support/dev.ts";
import { newToken } from "../support/tenant.ts";
import { runTool } from "../support/tools.ts";

const read = (path: string) => readFileSync(`${ROOT}/${path}`, "utf8");
const guides = `${read("docs/deploy-cloudflare.md")}\n${read("docs/deploy-supabase.md")}`;
const { scripts } = JSON.parse(read("package.json"));

/** What `npm run` and `npx` start: the tools' own command lines. */
function commandLines(line: string): string[] {
  const [, name, options] = /^npm run (?:--silent )?(\S+)(?: --)?(.*)$/.exec(line) ?? [];
  return (name ? `${scripts[name]}${options}` : line.replace("npx ", "")).split(" && ");
}

it("wrangler and the Supabase CLI know the guides' commands and all their options", async () => {
  const lines = guides.match(/(?<=^ *|[`(])(npx|npm run) [^`)\n]+/gm) ?? [];
  const commands = lines.flatMap(commandLines).filter((line) => !line.startsWith("node "));
  const words = (command: string) => /^(wrangler|supabase)( [a-z]+(?= |$))+/.exec(command)?.[0] ?? command;
  const names = [...new Set(commands.map(words))];
  expect(names.length).toBeGreaterThan(8);
  const help = new Map(
    await Promise.all(names.map(async (name) => [name, await runTool(`${name} --help`)] as const)),
  );
  for (const command of commands) {
    const text = help.get(words(command)) ?? "";
    expect(text).toMatch(new RegExp(`^ *${words(command)}( |$)`, "m"));
    const options = command.match(/--[a-z-]+/g) ?? [];
    expect([command, options.filter((option) => !text.includes(option))]).toEqual([command, []]);
  }
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
    read(`supabase/migrations/${file}`),
  );
  for (const statement of statements) {
    expect(migrations.filter((migration) => migration.includes(`perform ${statement};`))).toHaveLength(1);
  }
});
