import { spawn } from "node:child_process";
import { once } from "node:events";
import { inject } from "vitest";
import { type Client, newClient } from "../../support/tenant.ts";
import { startFakeModels } from "./fake-models.ts";
import { type Passed, startLossyNetwork } from "./lossy-network.ts";

type Environment = Record<string, string>;

export interface Ran {
  /** A client of the tenant that was sent to, to read with. */
  client: Client;
  passed: Passed[];
  stdout: string;
  stderr: string;
}

/** The two variables that are all that OpenTelemetry's own SDKs need. */
export function otelVariables(url: string, token: string): Environment {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${token}`,
  };
}

/** Runs a client's program to its end, against fake models and, over a network that loses answers, the API. */
export async function runClient(
  folder: string,
  variables: (url: string, token: string) => Environment = otelVariables,
  options: string[] = [],
): Promise<Ran> {
  const api = inject("workerdUrl");
  const client = await newClient((path, init) => fetch(`${api}${path}`, init));
  const [models, network] = await Promise.all([startFakeModels(), startLossyNetwork(api)]);
  const output = await runProgram(folder, options, {
    OPENAI_API_KEY: "sk-fake",
    OPENAI_BASE_URL: `${models.url}/v1`,
    ...variables(network.url, client.token),
  }).finally(() => Promise.all([models.stop(), network.stop()]));
  return { client, passed: network.passed, ...output };
}

/** What a program finds of ours: without what vitest sets, such as NODE_ENV. */
const KEPT = ["PATH", "HOME", "TMPDIR", "LANG"];
const LONGEST = 60_000;

async function runProgram(folder: string, options: string[], variables: Environment) {
  const kept = KEPT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const program = spawn(process.execPath, [...options, "program.mjs"], {
    cwd: new URL(`../${folder}/`, import.meta.url),
    env: { ...Object.fromEntries(kept), ...variables },
    timeout: LONGEST,
  });
  let [stdout, stderr] = ["", ""];
  program.stdout.on("data", (data) => {
    stdout += data;
  });
  program.stderr.on("data", (data) => {
    stderr += data;
  });
  const [code] = await once(program, "close");
  if (code !== 0) throw new Error(`${folder} ended with ${code}:\n${stdout}${stderr}`);
  return { stdout, stderr };
}
