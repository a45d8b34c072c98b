// `npm run dev`: the whole API on one machine.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { hashTracerToken } from "../functions/monkai-api/domain/tracer-token.ts";
import { refuseArguments, runCommand } from "./command-line.ts";
import { contentKeys } from "./keys/content-keys.ts";
import { buildPages } from "./pages-build.ts";
import { type DataDir, dataDirName, openDataDir, type RunningStack } from "./stack/data-dir.ts";
import { type Database, startDatabase } from "./stack/database.ts";
import { demoToken } from "./stack/demo-token.ts";
import { explain } from "./stack/explain.ts";
import { onNpmKilled } from "./stack/npm.ts";
import { checkPort, portProblem, wantedPort } from "./stack/ports.ts";
import { waitUntil } from "./stack/processes.ts";
import { superviseRest } from "./stack/rest-supervisor.ts";
import { callFunction, type Project } from "./stack/rpc.ts";
import { startWorker } from "./stack/worker.ts";

interface Settings {
  port: number;
  dataDir: string;
  tracerToken: string | undefined;
  contentKeys: string | undefined;
}

const USAGE = `Usage: npm run dev

Runs the whole API on this machine, with a Postgres of its own, until Ctrl-C. It is set up by the environment:
  PORT                 where the API listens, on 127.0.0.1; else 8787 (0: any free port)
  DATA_DIR             the folder for the database and the keys; else .data
  MONKAI_TRACER_TOKEN  the tracer token of the tenant \`demo\`; else one that is made for this folder, and printed`;

const stopping = new AbortController();
const stops: (() => Promise<void> | void)[] = [];

await runCommand(USAGE, start);
// Whatever a library may have left open.
process.exit();

async function start(args: string[]): Promise<void> {
  refuseArguments(args);
  // "on", not "once": a second Ctrl-C must not end the process in the middle of stopping.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());
  onNpmKilled(() => stopping.abort());
  try {
    await run(readSettings(), stopping.signal);
  } catch (error) {
    // What breaks because it was interrupted is no failure.
    if (!stopping.signal.aborted) throw error;
  } finally {
    await stopAll();
  }
}

async function run(settings: Settings, signal: AbortSignal): Promise<void> {
  const dataDir = await openDataDir(settings.dataDir);
  stops.push(dataDir.unlock);
  await requirePort(settings.port, dataDir.recovered);
  const running = noteRunning(dataDir);

  signal.throwIfAborted();
  const { path: folder, state } = dataDir;
  const database = await startDatabase({ ephemeral: false, folder, passwords: state.passwords });
  stops.push(database.stop);

  signal.throwIfAborted();
  const { serviceKey, publishableKey } = state;
  const rest = await superviseRest({ databaseUrl: database.authenticatorUrl, serviceKey, publishableKey });
  stops.push(rest.stop);
  running({ restUrl: rest.url, databaseUrl: database.postgresUrl });

  signal.throwIfAborted();
  const project = { url: rest.url, serviceKey };
  const token = settings.tracerToken ?? demoToken(serviceKey);
  await registerToken(project, token);
  keepUp(project);

  signal.throwIfAborted();
  buildPages();
  const worker = await startWorker({
    supabaseUrl: rest.url,
    serviceKey,
    port: settings.port,
    contentKeys: settings.contentKeys,
    adopt(child) {
      database.adopt(child);
      running({ workerdPid: child.pid });
    },
  });
  stops.push(worker.stop);
  running({ apiUrl: worker.url });

  signal.throwIfAborted();
  console.log(welcome(worker.url, token, settings.dataDir));
  await Promise.race([once(signal, "abort"), failWhenEnded(database, settings.dataDir)]);
}

/** The token is the tenant `demo`'s from then on. */
async function registerToken(project: Project, token: string): Promise<void> {
  const payload = { tenant: "demo", name: "npm run dev", token_hash: await hashTracerToken(token) };
  const registered = callFunction<{ active: boolean }>(project, "create_tracer_token", payload);
  const { active } = await registered.catch((error) => {
    if (error.code !== "token_taken") throw error;
    throw new Error(
      "MONKAI_TRACER_TOKEN is the token of another tenant of this database, and cannot be that of the tenant `demo`. " +
        "Unset it, or set it to a new one.",
    );
  });
  if (!active) {
    throw new Error("The demo tenant's token was revoked. Set MONKAI_TRACER_TOKEN to another one.");
  }
}

// What pg_cron does on a hosted project: see supabase/schemas/90_upkeep/schedule.sql.
function keepUp(project: Project): void {
  const call = (name: string) => () =>
    void callFunction(project, name, {}).catch((error) => console.error(explain(error)));
  const timers = [
    setInterval(call("fold_all"), 10_000),
    setInterval(() => void forgetWhatIsDue(project), 10_000),
    setInterval(call("delete_expired"), 5 * 60_000),
  ];
  stops.push(() => timers.forEach(clearInterval));
}

async function forgetWhatIsDue(project: Project): Promise<void> {
  const ends = Date.now() + 9_000;
  try {
    while ((await callFunction<{ forgotten: number }>(project, "forget_due", {})).forgotten > 0) {
      if (Date.now() > ends || stopping.signal.aborted) return;
      await sleep(200);
    }
  } catch (error) {
    console.error(explain(error));
  }
}

function readSettings(): Settings {
  const tracerToken = process.env.MONKAI_TRACER_TOKEN || undefined;
  if (tracerToken && !/^[\w.~+/=-]+$/.test(tracerToken)) {
    throw new Error("MONKAI_TRACER_TOKEN must be letters, digits and . _ ~ + / = - only.");
  }
  return { port: wantedPort(8787), dataDir: dataDirName(), tracerToken, contentKeys: contentKeys()?.text };
}

// A run that was killed may hold its port for another moment.
async function requirePort(port: number, recovered: boolean): Promise<void> {
  let problem: NodeJS.ErrnoException | undefined;
  const isFree = async () => {
    problem = await checkPort(port).then(
      () => undefined,
      (error) => error,
    );
    return problem?.code !== "EADDRINUSE";
  };
  await waitUntil(isFree, recovered ? 3_000 : 0);
  if (problem) throw new Error(portProblem(port, problem, "npm run dev"));
}

// For `npm run token`, which wants the REST layer, `npm run demo`, which wants the API, and for the next run, should this one be killed.
function noteRunning(dataDir: DataDir): (more: Partial<RunningStack>) => void {
  let running: RunningStack = { pid: process.pid };
  const note = (more: Partial<RunningStack>) => {
    running = { ...running, ...more };
    dataDir.setRunning(running);
  };
  note({});
  stopping.signal.addEventListener("abort", () => note({ stopping: true }));
  stops.push(() => dataDir.setRunning(undefined));
  return note;
}

function welcome(url: string, token: string, dataDir: string): string {
  return `
Agent Trace API  ${url}
Viewer           ${url}/v1/view
Documentation    ${url}/v1/docs
Tracer token     ${token}

Try it in another terminal:
curl -X POST ${url}/v1/sessions/get-or-create -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" -d '{"namespace":"my-agent","user_id":"user-1"}'

Something to look at in the viewer: npm run demo

The data stays in ${dataDir}. Ctrl-C stops everything.
`;
}

async function failWhenEnded(database: Database, dataDir: string): Promise<never> {
  await database.ended;
  throw new Error(`Postgres has ended unexpectedly. ${dataDir}/postgres.log may say why.`);
}

async function stopAll(): Promise<void> {
  // The keeper of Postgres ends whatever does not end by itself as soon as this process is gone.
  setTimeout(() => process.exit(1), 10_000).unref();
  for (const stop of stops.reverse()) {
    try {
      await stop();
    } catch (error) {
      console.error(explain(error));
    }
  }
}
