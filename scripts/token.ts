// `npm run token`: creates, lists and revokes the tokens that clients of the API authenticate with.
import { z } from "zod";
import { hashTracerToken, newTracerToken } from "../functions/monkai-api/domain/tracer-token.ts";
import { alignedTable } from "./aligned-table.ts";
import { parseOptions, required, runCommand, UsageError } from "./command-line.ts";
import { chosenProject } from "./stack/chosen-project.ts";
import { callFunction, Refused } from "./stack/rpc.ts";

interface TracerToken {
  id: string;
  tenant: string;
  name: string | null;
  active: boolean;
  expires_at: string | null;
  namespaces: string[] | null;
  scope: string;
  created_at: string;
}

const USAGE = `Usage:
  npm run token -- create --tenant NAME [--name LABEL] [--namespaces a,b] [--scope all|read] [--expires 2027-01-31T00:00:00Z]
  npm run token -- list [--tenant NAME]
  npm run token -- revoke ID-OR-TOKEN

Creates, lists and revokes the tracer tokens that clients of the API send.
  --tenant NAME      whose token it is: a tenant sees nothing of another's. The first token of a name makes the tenant
  --new-tenant       makes it also where another tenant has nearly this name
  --name LABEL       what the list is to call the token
  --namespaces a,b   the only namespaces that it may use; else all
  --scope all|read   \`read\`: it may change nothing; else \`all\`
  --expires MOMENT   when it ends; else never

They act on the hosted project in SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY, else on the running \`npm run dev\`.`;

const commands = new Map([
  ["create", create],
  ["list", list],
  ["revoke", revoke],
]);

await runCommand(USAGE, async ([name = "", ...rest]) => {
  const command = commands.get(name);
  if (!command) throw new UsageError(name ? `Unknown command: ${name}` : "Which command?");
  await command(rest);
});

async function create(given: string[]): Promise<void> {
  const { values } = parseOptions({
    args: given,
    options: {
      tenant: { type: "string" },
      "new-tenant": { type: "boolean" },
      name: { type: "string" },
      namespaces: { type: "string" },
      scope: { type: "string" },
      expires: { type: "string" },
    },
  });
  const wanted = {
    tenant: required(values.tenant, "--tenant"),
    name: values.name?.trim() || null,
    namespaces: namespaces(values.namespaces),
    scope: scope(values.scope),
    expires_at: expiry(values.expires),
  };

  const token = newTracerToken();
  const token_hash = await hashTracerToken(token);
  const created = await callFunction<TracerToken>(chosenProject(), "create_tracer_token", {
    ...wanted,
    token_hash,
    refuse_similar: !values["new-tenant"],
  }).catch((error) => {
    if (!(error instanceof Refused) || error.code !== "tenant_too_similar") throw error;
    throw new Error(`${error.message} Use its name, or add --new-tenant to make another tenant.`);
  });
  console.error(
    `Token ${created.id} of ${created.tenant}. Keep it: only its hash is stored, nobody can show it again.`,
  );
  console.log(token);
}

async function list(given: string[]): Promise<void> {
  const { values } = parseOptions({ args: given, options: { tenant: { type: "string" } } });
  const filter = values.tenant === undefined ? {} : { tenant: required(values.tenant, "--tenant") };
  const tokens = await callFunction<TracerToken[]>(chosenProject(), "list_tracer_tokens", filter);
  if (tokens.length === 0) {
    console.error("No tokens.");
    return;
  }
  console.log(
    alignedTable([
      ["ID", "TENANT", "NAME", "STATE", "EXPIRES", "NAMESPACES", "SCOPE", "CREATED"],
      ...tokens.map(row),
    ]),
  );
}

async function revoke(given: string[]): Promise<void> {
  const { positionals } = parseOptions({ args: given, allowPositionals: true, options: {} });
  const [which = ""] = positionals;
  if (!which.trim() || positionals.length > 1)
    throw new UsageError("Name one token to revoke, by id or by itself.");

  const isId = z.uuid().safeParse(which).success;
  const target = isId ? { id: which } : { token_hash: await hashTracerToken(which) };
  const revoked = await callFunction<TracerToken | null>(chosenProject(), "revoke_tracer_token", target);
  if (!revoked) throw new Error("There is no such token.");
  console.error(
    `Revoked token ${revoked.id}${revoked.name ? ` (${revoked.name})` : ""} of ${revoked.tenant}.`,
  );
}

function namespaces(value: string | undefined): string[] | null {
  if (value === undefined) return null;
  const names = value.split(",").map((name) => name.trim());
  if (names.includes("")) throw new UsageError("--namespaces has an empty name in it.");
  return [...new Set(names)];
}

function scope(value = "all"): string {
  if (value !== "all" && value !== "read") throw new UsageError('--scope must be "all" or "read".');
  return value;
}

function expiry(value: string | undefined): string | null {
  if (value === undefined) return null;
  const isDate = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).safeParse(value).success;
  if (!isDate) throw new UsageError("--expires must be a date such as 2027-01-31 or 2027-01-31T00:00:00Z.");
  if (Date.parse(value) <= Date.now()) throw new UsageError("--expires is in the past.");
  return new Date(value).toISOString();
}

function row(token: TracerToken): string[] {
  const { id, tenant, name, expires_at, namespaces, scope, created_at } = token;
  return [
    id,
    tenant,
    name ?? "-",
    stateOf(token),
    expires_at ?? "never",
    namespaces?.join(",") ?? "all",
    scope,
    created_at,
  ];
}

function stateOf({ active, expires_at }: TracerToken): string {
  if (!active) return "revoked";
  return expires_at && Date.parse(expires_at) <= Date.now() ? "expired" : "active";
}
