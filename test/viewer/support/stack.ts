import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { readState } from "../../../scripts/stack/data-dir.ts";
import { freePort } from "../../../scripts/stack/ports.ts";
import { dev, temporaryDataDir } from "../../support/dev.ts";
import { CHROMIUM } from "./chromium.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The API of `npm run dev`, with its version. Empty: there is no Chromium, and nothing runs. */
    apiUrl: string;
    /** The token that `npm run dev` prints. */
    demoToken: string;
  }
}

/** `npm run dev` on a data folder of its own, where there is a Chromium to look at it with. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(CHROMIUM)) {
    console.warn(`\nNOT TESTED: there is no Chromium at ${CHROMIUM}. CHROMIUM=PATH says where it is.\n`);
    project.provide("apiUrl", "");
    return async () => {};
  }
  const data = await temporaryDataDir();
  // Started by root, Postgres runs as another user, who has to pass through.
  await chmod(data.path, 0o711);
  const port = await freePort();
  const running = dev({ PORT: `${port}`, DATA_DIR: data.path, MONKAI_TRACER_TOKEN: "" });
  const [, demoToken = ""] = await running.says(/Tracer token +(\S+)[\s\S]+Ctrl-C/);
  const state = readState(data.path);
  project.provide("apiUrl", `http://127.0.0.1:${port}/v1`);
  project.provide("demoToken", demoToken);
  project.provide("restUrl", state?.running?.restUrl ?? "");
  project.provide("serviceKey", state?.serviceKey ?? "");
  return async () => {
    running.signalGroup("SIGINT");
    await running.ended;
    await data.release();
  };
}
