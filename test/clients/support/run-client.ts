import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { type Client, newClient } from "../../support/tenant.ts";
import { startFakeModels } from "./fake-models.ts";
import { type Passed, startLossyNetwork } from "./lossy-network.ts";
import { readPage } from "./page.ts";

type Variables = Record<string, string>;

export interface Ran {
  /** Of the tenant that was sent to: to read with. */
  client: Client;
  passed: Passed[];
  stdout: string;
}

interface Run {
  /** The folder of the client. */
  program: string;
  /** The page that says how it is run, and which of its commands: the first, unless told. */
  page: string;
  command?: number;
  /** What the page leaves at what it is. */
  variables?: Variables;
}

/** Where the pages say that the API is. */
const ADDRESS = "http://127.0.0.1:8787";

/** Runs a program as its page says, against fake models and, over a network that loses answers, the API. */
export async function runClient({ program, page, command = 0, variables = {} }: Run): Promise<Ran> {
  const api = inject("workerdUrl");
  const client = await newClient((path, init) => fetch(`${api}${path}`, init));
  const lines = readPage(page).commands[command] ?? "";
  const [models, network] = await Promise.all([startFakeModels(), startLossyNetwork(api)]);
  const stdout = await runShell(program, lines.replaceAll(ADDRESS, network.url), {
    MONKAI_TRACER_TOKEN: client.token,
    OPENAI_API_KEY: "sk-fake",
    OPENAI_BASE_URL: `${models.url}/v1`,
    ANTHROPIC_API_KEY: "sk-ant-fake",
    ANTHROPIC_BASE_URL: models.url,
    ...variables,
  }).finally(() => Promise.all([models.stop(), network.stop()]));
  return { client, passed: network.passed, stdout };
}

const LONGEST = 60_000;

/** In an environment of its own: vitest sets NODE_ENV, which switches some clients off. */
async function runShell(folder: string, lines: string, variables: Variables): Promise<string> {
  const { PATH, HOME = "" } = process.env;
  const cwd = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const programs = [`${cwd}node_modules/.bin`, `${cwd}.venv/bin`, dirname(process.execPath), PATH];
  const shell = spawn("sh", ["-ec", lines], {
    cwd,
    env: { PATH: programs.join(":"), HOME, ...variables },
    detached: true,
  });
  // To its whole group: the program is the shell's child.
  const tooLong = setTimeout(() => process.kill(-(shell.pid as number), "SIGKILL"), LONGEST);
  let [stdout, stderr] = ["", ""];
  shell.stdout.on("data", (data) => {
    stdout += data;
  });
  shell.stderr.on("data", (data) => {
    stderr += data;
  });
  const [code] = await once(shell, "close");
  clearTimeout(tooLong);
  if (code !== 0) throw new Error(`${folder} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}
