import { dataDirName, readState } from "./data-dir.ts";
import { isAlive } from "./processes.ts";
import type { Project } from "./rpc.ts";

/** The project that a command acts on: the hosted one of the environment, else the running `npm run dev`. Throws where there is none. */
export function chosenProject(): Project {
  const { SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: serviceKey } = process.env;
  if (url && serviceKey) return { url, serviceKey };
  if (url || serviceKey) throw new Error("Set both SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY, or neither.");
  return runningStack();
}

function runningStack(): Project {
  const dataDir = dataDirName();
  const state = readState(dataDir);
  const running = state?.running;
  if (state && running?.restUrl && isAlive(running.pid))
    return { url: running.restUrl, serviceKey: state.serviceKey };
  throw new Error(
    `npm run dev is not running on ${dataDir}. Start it in another terminal, ` +
      "or set SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY to those of a hosted project.",
  );
}
