import { readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { freePort } from "../../../scripts/stack/ports.ts";
import { dev, temporaryDataDir } from "../../support/dev.ts";

/** Starts `npm run dev`, which all clients send to. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await temporaryDataDir();
  // As root, Postgres runs as another user, who must be able to enter.
  await chmod(dataDir.path, 0o711);
  const port = await freePort();
  const running = dev({ PORT: `${port}`, DATA_DIR: dataDir.path, MONKAI_TRACER_TOKEN: "" });
  await running.says(/Ctrl-C/);
  const state = JSON.parse(readFileSync(`${dataDir.path}/stack.json`, "utf8"));
  project.provide("workerdUrl", `http://127.0.0.1:${port}`);
  project.provide("restUrl", state.running.restUrl);
  project.provide("serviceKey", state.serviceKey);
  return async () => {
    running.signalGroup("SIGINT");
    await running.ended;
    await dataDir.release();
  };
}
