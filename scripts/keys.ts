// `npm run keys`: the keys that content is encrypted with. docs/encryption.md says when to run what.
import { newContentKey } from "../functions/monkai-api/domain/content-keys.ts";
import { MasterKeys } from "../functions/monkai-api/store/sealing/master-keys.ts";
import { alignedTable } from "./aligned-table.ts";
import { parseOptions, required, runCommand, UsageError } from "./command-line.ts";
import { contentKeys } from "./keys/content-keys.ts";
import {
  forgetDataKeys,
  type ListedKey,
  listedKeys,
  rewrapDataKeys,
  rotateDataKeys,
} from "./keys/data-keys.ts";
import { chosenProject } from "./stack/chosen-project.ts";

const USAGE = `Usage:
  npm run keys -- new [--id ID]
  npm run keys -- list [--tenant NAME]
  npm run keys -- rotate [--tenant NAME]
  npm run keys -- rewrap [--tenant NAME]
  npm run keys -- forget --tenant NAME

The keys that content is encrypted with: a master key in CONTENT_KEYS wraps the data keys of the tenants.
  new      prints a new master key for CONTENT_KEYS, and needs nothing. --id: what it is called; else the day
  list     shows the data keys, and which master key wraps each
  rotate   gives the tenant, or each one, a new data key to write with. What was written before stays readable
  rewrap   wraps all data keys, or the tenant's, by the first key of CONTENT_KEYS. Then the other ones are not needed any more
  forget   forgets a tenant's data keys, for good: what they encrypted cannot be read any more

\`rotate\` and \`rewrap\` need the API's CONTENT_KEYS in the environment. All but \`new\` act on the hosted project in
SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY, else on the running \`npm run dev\`.`;

const commands = new Map([
  ["new", makeNew],
  ["list", list],
  ["rotate", rotate],
  ["rewrap", rewrap],
  ["forget", forget],
]);

await runCommand(USAGE, async ([name = "", ...rest]) => {
  const command = commands.get(name);
  if (!command) throw new UsageError(name ? `Unknown command: ${name}` : "Which command?");
  await command(rest);
});

function makeNew(given: string[]): void {
  const { values } = parseOptions({ args: given, options: { id: { type: "string" } } });
  console.log(newContentKey(values.id ?? new Date().toISOString().slice(0, 10)));
}

async function list(given: string[]): Promise<void> {
  const keys = await listedKeys(chosenProject(), tenantOf(given));
  if (keys.length === 0) {
    console.error("No data keys.");
    return;
  }
  console.log(alignedTable([["TENANT", "NUMBER", "STATE", "MASTER KEY", "CREATED"], ...keys.map(row)]));
}

async function rotate(given: string[]): Promise<void> {
  const tenant = tenantOf(given);
  const rotated = await rotateDataKeys(chosenProject(), masterKeys(), tenant);
  if (tenant && rotated.length === 0)
    throw new Error(`${tenant} has no data key. The first content makes one.`);
  console.error(`New data keys: ${rotated.length === 0 ? "none" : rotated.join(", ")}.`);
}

async function rewrap(given: string[]): Promise<void> {
  const tenant = tenantOf(given);
  const masters = masterKeys();
  const rewrapped = await rewrapDataKeys(chosenProject(), masters, tenant);
  console.error(`Data keys that ${masters.first} has wrapped anew: ${rewrapped}.`);
}

async function forget(given: string[]): Promise<void> {
  const tenant = required(tenantOf(given), "--tenant");
  const forgotten = await forgetDataKeys(chosenProject(), tenant);
  if (forgotten === 0) throw new Error(`${tenant} has no data key.`);
  console.error(`Forgot ${forgotten} data keys of ${tenant}. What they encrypted cannot be read any more.`);
}

function tenantOf(given: string[]): string | undefined {
  const { values } = parseOptions({ args: given, options: { tenant: { type: "string" } } });
  return values.tenant === undefined ? undefined : required(values.tenant, "--tenant");
}

function masterKeys(): MasterKeys {
  const set = contentKeys();
  if (!set) throw new Error("Set CONTENT_KEYS to what the API has.");
  return new MasterKeys(set.keys);
}

function row(
  { tenant, number, master_key, created_at }: ListedKey,
  index: number,
  keys: ListedKey[],
): string[] {
  const isNewest = keys[index + 1]?.tenant !== tenant;
  const state = master_key === null ? "forgotten" : isNewest ? "writes" : "reads";
  return [tenant, String(number), state, master_key ?? "-", created_at];
}
