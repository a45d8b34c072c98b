import { newTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";
import { bundleForWorkerd, WORKER_ENTRY } from "../stack/bundle.ts";
import { prepareWorker, startWorkerd, type Workerd, type WorkerFiles } from "../stack/workerd.ts";
import { alternate, type Figure } from "./figures.ts";
import { answersPerSecond, postRequest } from "./http-load.ts";
import { llmStep } from "./samples.ts";
import type { Settings } from "./settings.ts";

const CONNECTIONS = 32;
const WARM_UP_SECONDS = 2;
const WORKERS = "scripts/bench/workers";

/** Never asked: what the worker fetches is answered at once. */
const BINDINGS = { SUPABASE_URL: "http://rest.bench", SUPABASE_SERVICE_ROLE_KEY: "sb_secret_bench" };

/** Section 4: what the app itself costs, beside a Hono app that only parses the same JSON and sends it back. */
export async function appCost({ rounds, seconds }: Settings): Promise<Figure[]> {
  const workers: Workerd[] = [];
  const start = async (files: WorkerFiles) => {
    const worker = await startWorkerd(prepareWorker(files));
    workers.push(worker);
    await load(worker, WARM_UP_SECONDS);
    return worker;
  };
  try {
    const bare = await start({ code: bundleForWorkerd(`${WORKERS}/bare.ts`) });
    const app = await start({
      code: bundleForWorkerd(`${WORKERS}/without-network.ts`),
      bindings: BINDINGS,
    });
    const upstream = bundleForWorkerd(`${WORKERS}/instant-rest.ts`);
    const asking = await start({ code: bundleForWorkerd(`${WORKERS}/asking.ts`), upstream });
    const askingApp = await start({ code: bundleForWorkerd(WORKER_ENTRY), bindings: BINDINGS, upstream });
    const empty = await start({ code: bundleForWorkerd(`${WORKERS}/empty.ts`) });

    const figure = { section: 4, unit: "requests/s" };
    const compared = (worker: Workerd, other: Workerd) =>
      alternate(
        rounds,
        () => load(worker, seconds),
        () => load(other, seconds),
      );
    return [
      {
        ...figure,
        name: "traces/llm, its fetch answered at once : bare Hono",
        ...(await compared(app, bare)),
        goal: { atLeast: 0.45 },
        note: `${CONNECTIONS} connections`,
      },
      {
        ...figure,
        name: "traces/llm over a stub beside it : bare Hono",
        ...(await compared(askingApp, bare)),
        note: "the stub is a worker in the same workerd, on the same thread: most of it is the runtime's cost",
      },
      {
        ...figure,
        name: "the least that asks the stub too : bare Hono",
        ...(await compared(asking, bare)),
        note: "more than this the line above cannot reach",
      },
      {
        ...figure,
        name: "workerd's own limit: an empty worker",
        measured: await load(empty, seconds),
        note: `workerd is what is busy: the load takes ${await loadsShare(empty, seconds)} % of a CPU`,
      },
    ];
  } finally {
    for (const worker of workers) await worker.stop();
  }
}

const REQUEST = postRequest(
  "/v1/traces/llm",
  { Authorization: `Bearer ${newTracerToken()}` },
  JSON.stringify(llmStep("a-session")),
);

function load({ port }: Workerd, seconds: number): Promise<number> {
  return answersPerSecond(port, REQUEST, CONNECTIONS, seconds);
}

/** How much of one CPU, in percent, this process needs to load the worker. */
async function loadsShare(worker: Workerd, seconds: number): Promise<number> {
  const before = process.cpuUsage();
  await load(worker, seconds);
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 10_000 / seconds);
}
