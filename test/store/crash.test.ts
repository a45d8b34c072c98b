import { chmod } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { waitUntil } from "../../scripts/stack/processes.ts";
import { type Command, dev, temporaryDataDir } from "../support/dev.ts";
import { processIds, readProc } from "../support/proc.ts";

const TOKEN = "tk_of_the_crash_test";
const CLIENTS = 8;
const TRACES_EACH = 30;

/**
 * What a process is called that belongs to `npm run dev`. The Worker and the REST layer are started again by themselves; the
 * rest by whoever started it.
 */
const PARTS: [part: string, name: RegExp, isStartedAgain: boolean][] = [
  ["the Worker", /workerd serve/, true],
  ["the REST layer", /rest-process/, true],
  ["Postgres", / -D \S+postgres/, false],
  ["everything", /./, false],
];

/** Ends all processes of this data folder that are called so, as the kernel would when memory runs out. */
function crash(folder: string, name: RegExp): number {
  const pids = processIds().filter(
    (pid) =>
      `${readProc(pid, "environ")} ${readProc(pid, "cmdline")}`.includes(folder) &&
      name.test(readProc(pid, "cmdline")),
  );
  for (const pid of pids) process.kill(Number(pid), "SIGKILL");
  return pids.length;
}

describe.skipIf(process.platform !== "linux")("kill -9 under load", () => {
  let dataDir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let url: string;
  let start: () => Promise<Command>;
  let running: Command;

  beforeEach(async () => {
    dataDir = await temporaryDataDir();
    // For root, whose Postgres runs as another user.
    await chmod(dataDir.path, 0o711);
    const port = await freePort();
    url = `http://127.0.0.1:${port}/v1`;
    start = async () => {
      const command = dev({ PORT: `${port}`, DATA_DIR: dataDir.path, MONKAI_TRACER_TOKEN: TOKEN });
      await command.says(/Ctrl-C/);
      return command;
    };
    running = await start();
  });

  afterEach(async () => {
    running.signalGroup("SIGINT");
    await running.ended;
    await dataDir.release();
  });

  async function post(path: string, body: object, headers = {}): Promise<Response | undefined> {
    return fetch(url + path, {
      method: "POST",
      headers: { tracer_token: TOKEN, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined);
  }

  /** Sends something until it is acknowledged, the same every time. Returns how often. */
  async function sendUntilAcknowledged(send: () => Promise<Response | undefined>): Promise<number> {
    for (let tries = 1; tries <= 200; tries += 1) {
      if ((await send())?.status === 200) return tries;
      await sleep(150);
    }
    throw new Error("It was never acknowledged.");
  }

  const sendKeyed = (model: string, session_id: string) => () =>
    post("/traces/llm", { session_id, namespace: "load", model }, { "Idempotency-Key": model });
  const sendSpan = (model: string, client: number, place: number) => () =>
    post("/traces", spanOfCall(model, client, place));

  /** The models of all LLM calls that are there. */
  async function storedModels(namespace: string): Promise<string[]> {
    const read = await post("/record_query", { namespace, query: { limit: 1000 } });
    const { records, count } = await (read as Response).json();
    expect(count).toBe(records.length);
    return records.map(({ model }: { model: string }) => model).sort();
  }

  it.each(PARTS)(
    "of %s: what was acknowledged is there once, and so is what had to be sent again",
    { timeout: 90_000 },
    async (_, name, isStartedAgain) => {
      const acknowledged: string[] = [];
      let repeated = 0;
      const client = async (client: number) => {
        for (let trace = 0; trace < TRACES_EACH; trace += 1) {
          const model = `m${client}-${trace}`;
          repeated += (await sendUntilAcknowledged(sendKeyed(model, `s${client}`))) - 1;
          repeated += (await sendUntilAcknowledged(sendSpan(model, client, trace))) - 1;
          acknowledged.push(model);
        }
      };
      const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
      expect(await waitUntil(async () => acknowledged.length > 50, 20_000)).toBe(true);
      expect(crash(dataDir.path, name)).toBeGreaterThan(0);
      if (!isStartedAgain) {
        await running.ended;
        running = await start();
      }
      await clients;

      expect(repeated).toBeGreaterThan(0);
      expect(acknowledged).toHaveLength(CLIENTS * TRACES_EACH);
      expect(await storedModels("load")).toEqual(acknowledged.toSorted());
      expect(await storedModels("spans")).toEqual(acknowledged.toSorted());
      const trees = await fetch(`${url}/traces`, { headers: { tracer_token: TOKEN } });
      const { data } = (await trees.json()) as { data: { namespace: string; step_count: number }[] };
      const ofSpans = data.filter(({ namespace }) => namespace === "spans");
      expect(ofSpans.map(({ step_count }) => step_count)).toEqual(Array(CLIENTS).fill(TRACES_EACH));
    },
  );
});

/** A model call as an exporter sends it: each client has a trace of its own, whose spans are below one that never comes. */
function spanOfCall(model: string, client: number, place: number): object {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = {
    traceId: `${client + 1}`.padStart(32, "0"),
    spanId: `${place + 1}`.padStart(16, "0"),
    parentSpanId: "ffffffffffffffff",
    name: "chat",
    startTimeUnixNano: `${Date.now()}000000`,
    endTimeUnixNano: `${Date.now()}000000`,
    attributes: [text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", model)],
  };
  const resource = { attributes: [text("service.name", "spans")] };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
}
