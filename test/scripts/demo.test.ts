import { chmod } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { Command, dev, type Ended, temporaryDataDir } from "../support/dev.ts";

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

const SUMMARY = /(\d+) sessions with (\d+) steps \((\d+) failed\) and (\d+) scores; (\d+) log entries/;

describe("npm run demo", () => {
  let dataDir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let env: Record<string, string>;
  let running: Command;
  let url: string;
  let token: string;
  let first: number[];

  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    await chmod(dataDir.path, 0o711);
    env = { PORT: String(await freePort()), DATA_DIR: dataDir.path, MONKAI_TRACER_TOKEN: "" };
    running = dev(env);
    token = (await running.says(/Tracer token\s+(tk_\S+)/))[1] as string;
    url = (await running.says(/API\s+(http\S+)/))[1] as string;
    await running.says(/Ctrl-C/);
    first = await sent(demo().ended);
  });

  afterAll(async () => {
    running.signalGroup("SIGINT");
    await running.ended;
    await dataDir.release();
  });

  const demo = (...args: string[]) => new Command("npm", ["run", "--silent", "demo", "--", ...args], env);

  async function read(path: string, body?: object): Promise<Read> {
    const response = await fetch(url + path, {
      method: body ? "POST" : "GET",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    return response.json();
  }

  /** Sent by a run that has nothing to complain of: what it says of sessions, steps, failed ones, scores and entries. */
  async function sent(run: Promise<Ended>): Promise<number[]> {
    const { code, stdout, stderr } = await run;
    expect([code, stderr.replace(/^npm warn.*\n/gm, "")]).toEqual([0, ""]);
    return SUMMARY.exec(stdout)?.slice(1).map(Number) ?? [];
  }

  async function found(): Promise<number[]> {
    const { sessions, count } = await read("/v1/sessions?limit=200");
    const sum = (of: (session: Read) => number) =>
      sessions.reduce((all: number, one: Read) => all + of(one), 0);
    const { scores } = await read("/v1/scores?limit=1000");
    const logs = await read("/v1/logs/query", { namespace: "aurora-desk", limit: 1000 });
    return [
      count,
      sum(({ step_count }) => step_count),
      sum(({ error_count }) => error_count),
      scores.length,
      logs.logs.filter(({ session_id }: Read) => session_id === undefined).length,
    ];
  }

  it("sends what its summary says, and nothing more when it is run again", async () => {
    expect(first[0]).toBeGreaterThan(40);
    expect(await found()).toEqual(first);
    expect(await sent(demo().ended)).toEqual(first);
    expect(await found()).toEqual(first);
  });

  it("has failures, costs, calls without a price, scores and a purged trace to look at", async () => {
    const { totals, rows } = await read("/v1/usage?by=model");
    expect(Number(totals.cost.amount)).toBeGreaterThan(0);
    expect(totals).toMatchObject({
      errors: expect.any(Number),
      scores: { csat: { count: expect.any(Number) } },
    });
    expect(totals.errors).toBeGreaterThan(5);
    expect(totals.reasoning_tokens).toBeGreaterThan(6000);
    expect(totals.cached_input_tokens).toBeGreaterThan(1000);
    expect(rows.find(({ model }: Read) => model === "desk-triage-7b").cost).toMatchObject({
      amount: null,
      unpriced_steps: 2,
    });
    const { sessions } = await read("/v1/sessions?limit=200");
    const named = (topic: string) =>
      sessions.find(({ session_id }: Read) => session_id.endsWith(topic)).session_id;
    const slow = await read(`/v1/sessions/${named("four-visas")}/steps`);
    expect(slow.steps.map(({ duration_ms }: Read) => duration_ms)).toContain(40_180);
    const trace = await read(`/v1/traces/${named("please-forget-me")}-trace`);
    expect(trace.content_redacted_at).toEqual(expect.any(String));
  });

  it("--live goes on with one session until Ctrl-C", async () => {
    const live = demo("--live");
    const [, sessionId] = await live.says(/in the session (\S+)\./);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    live.signalGroup("SIGINT");
    expect((await live.ended).stdout).toMatch(/\nLive steps sent: [1-9]\./);
    const { step_count, user_id } = await read(`/v1/sessions/${sessionId}`);
    expect([step_count > 0, user_id]).toEqual([true, "cust-live"]);
  });

  it("says where nothing answers, and what to do", async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await demo("--url", nowhere, "--token", "tk_x").ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`Nothing answers at ${nowhere}. Start \`npm run dev\``),
    ]);
    const refused = await demo("--url", url, "--token", "tk_x").ended;
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("this token is not known there"),
    ]);
    expect((await demo("--help").ended).stdout).toContain("--live");
  });
});
