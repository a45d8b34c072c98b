import { readFile } from "node:fs/promises";
import { createApp } from "../../functions/monkai-api/app.ts";
import { parseContentKeys } from "../../functions/monkai-api/domain/content-keys.ts";
import type { LogFacts, LogLevel } from "../../functions/monkai-api/services.ts";
import { Store } from "../../functions/monkai-api/store/store.ts";
import { assetsFolder } from "../../scripts/stack/bundle.ts";
import type { Api } from "./tenant.ts";

export interface LogLine extends LogFacts {
  level: LogLevel;
  message: string;
}

export interface InProcessApp {
  api: Api;
  /** How many calls reached the REST layer. Set it back as you like. */
  calls: number;
  /** What was logged: a line for each request, and the problems. */
  requests: LogLine[];
  problems: LogLine[];
}

/** A file of the pages at /docs and /view. */
export function readAsset(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return readFile(`${assetsFolder()}/${name}`).catch(() => undefined);
}

/** The app without anything behind it, for what it says of itself. */
export function appWithoutStore(): ReturnType<typeof createApp> {
  const unused = (): never => {
    throw new Error("There is nothing behind this app.");
  };
  return createApp({
    store: { request: unused, checkReady: unused },
    readAsset: unused,
    now: () => new Date(),
    newId: () => "unused",
    log: () => {},
  });
}

/** The app in this process, in front of a real REST layer: a test may count its calls and read its log. */
export function appInProcess(
  restUrl: string,
  serviceKey: string,
  {
    now = () => new Date(),
    timeoutSeconds = 10,
    fetch: ask = fetch,
    contentKeys,
  }: { now?: () => Date; timeoutSeconds?: number; fetch?: typeof fetch; contentKeys?: string } = {},
): InProcessApp {
  const seen: InProcessApp = {
    api: async (path, init) => app.request(`http://api.test${path}`, init),
    calls: 0,
    requests: [],
    problems: [],
  };
  const counting: typeof fetch = (input, init) => {
    seen.calls += 1;
    return ask(input, init);
  };
  const app = createApp({
    store: new Store(restUrl, serviceKey, {
      fetch: counting,
      timeoutSeconds,
      contentKeys: contentKeys === undefined ? undefined : parseContentKeys(contentKeys),
    }),
    readAsset,
    now,
    newId: () => crypto.randomUUID(),
    log(level, message, facts) {
      const lines = message === "request" ? seen.requests : seen.problems;
      lines.push({ level, message, ...facts });
    },
  });
  return seen;
}
