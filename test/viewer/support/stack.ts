import { existsSync } from "node:fs";
import { freePort } from "../../../scripts/stack/ports.ts";
import { readState } from "../../../scripts/stack/data-dir.ts";
import type { TestProject } from "vitest/node";
import { dev, temporaryDataDir } from "../../support/dev.ts";
import { CHROMIUM } from "./chromium.ts";

/** `npm run dev` on a data folder of its own, where there is a Chromium to look at it with. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(CHROMIUM)) {
    console.warn(`\nNOT TESTED: there is no Chromium at ${CHROMIUM}. CHROMIUM=PATH says where it is.\n`);
    project.provide("apiUrl", "");
    return async () => {};
  }
  const data = await temporaryDataDir();
  const port = await freePort();
  const running = dev({ PORT: `${port}`, DATA_DIR: data.path, MONKAI_TRACER_TOKEN: "" });
  await running.says(/Ctrl-C/);
  const { state, running: stack } = readStack(data.path);
  project.provide("apiUrl", `http://127.0.0.1:${port}/v1`);
  project.provide("restUrl", stack);
  project.provide("serviceKey", state);
  return async () => {
    running.signalGroup("SIGINT");
    await running.ended;
    await data.release();
  };
}
