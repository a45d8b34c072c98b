import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, inject, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { Command, type Ended, ROOT } from "../support/dev.ts";

const { scripts } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")) as {
  scripts: Record<string, string>;
};
/** Those that are a program of ours with a command line of its own. */
const programs = Object.values(scripts).filter((line) => /^node scripts\/\S+\.ts$/.test(line));

async function run(line: string, env: Record<string, string> = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Command("sh", ["-c", line], env).ended;
  return { code, stdout, stderr: stderr.replace(/^npm (?:warn|notice).*\n/gm, "") };
}

it("there are commands to ask", () => {
  expect(programs.length).toBeGreaterThan(7);
});

it.each([...programs, "node test/clients/install.ts"])(
  "%s: --help prints the usage, an unknown option is 2 and shows it",
  async (line) => {
    const help = await run(`${line} --help`);
    expect([help.code, help.stdout, help.stderr]).toEqual([0, expect.stringMatching(/^Usage:/), ""]);
    const unknown = await run(`${line} --nonsense`);
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toContain("--nonsense");
    expect(unknown.stderr).toContain(help.stdout);
  },
);

it.each([
  ["token create --tenant x", "--tenant", "token"],
  ["token list --tenant=x", "--tenant", "token"],
  ["demo --live", "--live", "demo"],
])("npm run %s says that npm took the option, and where -- goes", async (line, option, name) => {
  const { code, stderr } = await run(`npm run --silent ${line}`);
  expect([code, stderr]).toEqual([2, expect.stringContaining(`npm took ${option}`)]);
  expect(stderr).toContain(`npm run ${name} -- ...`);
});

/** On the database of this test run. */
const token = (line: string) =>
  run(`npm run --silent token -- ${line}`, {
    SUPABASE_URL: inject("restUrl"),
    SUPABASE_SERVICE_ROLE_KEY: inject("serviceKey"),
  });

it("npm run token makes no second tenant of nearly the same name, unless it is told to", async () => {
  const id = crypto.randomUUID();
  const [tenant, similar] = [`Near ${id}`, `near-${id}`];
  expect(await token(`create --tenant "${tenant}"`)).toMatchObject({ code: 0 });
  expect(await token(`create --tenant "${tenant}"`)).toMatchObject({ code: 0 });
  const refused = await token(`create --tenant ${similar}`);
  expect([refused.code, refused.stdout, refused.stderr]).toEqual([
    1,
    "",
    `There is no tenant "${similar}", but one called "${tenant}". Use its name, or add --new-tenant to make another tenant.\n`,
  ]);
  expect((await token(`list --tenant ${similar}`)).stderr).toBe("No tokens.\n");
  expect(await token(`create --tenant ${similar} --new-tenant`)).toMatchObject({ code: 0 });
  expect(await token(`create --tenant ${similar}`)).toMatchObject({ code: 0 });
});

it("npm run view says that there is no API, or that its own port is taken", async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}/v1`;
  const silent = await run(`npm run --silent view -- ${nowhere}`);
  expect([silent.code, silent.stderr]).toEqual([1, expect.stringContaining(`Nothing answers at ${nowhere}`)]);

  const wrong = await run(`npm run --silent view -- ${inject("workerdUrl")}/elsewhere`);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("There is no Agent Trace API at")]);
  expect(await run("npm run --silent view -- nonsense")).toMatchObject({ code: 2 });

  const port = await freePort();
  const other = createServer().listen(port, "127.0.0.1");
  const taken = await run(`npm run --silent view -- ${inject("workerdUrl")}/v1`, { PORT: String(port) });
  other.close();
  expect([taken.code, taken.stderr]).toEqual([
    1,
    `Port ${port} is taken by another program. Choose another one: PORT=${port + 1} npm run view -- API-URL\n`,
  ]);
});
