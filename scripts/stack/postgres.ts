import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { KeeperReply, KeeperSettings } from "./postgres-keeper.ts";

/** A Postgres that runs until it is stopped or this process ends, however it ends. */
export interface Postgres {
  port: number;
  /** From now on the child dies with this process too, even when this process is killed with -9. */
  adopt(child: ChildProcess): void;
  /** Settles when Postgres has ended, by itself or by `stop`. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

const keeperFile = fileURLToPath(new URL("./postgres-keeper.ts", import.meta.url));

/** Starts Postgres on a folder, made when it is not there, on a free port of 127.0.0.1. */
export async function startPostgres(settings: KeeperSettings): Promise<Postgres> {
  // Detached, so that Ctrl-C in the terminal, which signals the whole group, does not reach it.
  const keeper = spawn(process.execPath, [keeperFile], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(keeper, "exit").then(() => {});
  // Writing to a keeper that has ended is not worth more than `ended` says.
  keeper.stdin.on("error", () => {});
  const tell = (line: string) => keeper.stdin.write(`${line}\n`);

  tell(JSON.stringify(settings));
  const port = portFrom(await firstLine(keeper));
  return { port, adopt: (child) => adopt(child, tell), ended, stop: () => stop(keeper, ended) };
}

function portFrom(line: string | undefined): number {
  if (!line) throw new Error("Postgres did not start: its keeper ended without a word");
  const reply = JSON.parse(line) as KeeperReply;
  if ("port" in reply) return reply.port;
  throw new Error(reply.error, { cause: reply.log || undefined });
}

async function firstLine(keeper: ChildProcess): Promise<string | undefined> {
  if (!keeper.stdout) return undefined;
  for await (const line of createInterface({ input: keeper.stdout })) return line;
  return undefined;
}

function adopt(child: ChildProcess, tell: (line: string) => void): void {
  tell(`adopt ${child.pid}`);
  child.once("exit", () => tell(`release ${child.pid}`));
}

function stop(keeper: ChildProcess, ended: Promise<void>): Promise<void> {
  keeper.stdin?.end();
  return ended;
}
