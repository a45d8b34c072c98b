// `node test/deployment/releases/record.ts 0.2.0`: writes down what the Worker of this version asks the database, call by call, when a
// client does what story.ts says. Run it once for each release; upgrade.test.ts holds later versions to it.
import { writeFileSync } from "node:fs";
import { createApp } from "../../../functions/monkai-api/app.ts";
import { hashTracerToken } from "../../../functions/monkai-api/domain/tracer-token.ts";
import { SCHEMA_VERSION } from "../../../functions/monkai-api/store/schema-version.ts";
import { Store } from "../../../functions/monkai-api/store/store.ts";
import { startDatabase } from "../../../scripts/stack/database.ts";
import { startRest } from "../../../scripts/stack/rest.ts";
import { callFunction } from "../../../scripts/stack/rpc.ts";
import type { RecordedCall, RecordedRequest, Release } from "./release.ts";
import { READS, RETRIED, type StoryRequest, WRITES } from "./story.ts";

const [version] = process.argv.slice(2);
if (!version || !/^\d+\.\d+\.\d+$/.test(version)) {
  throw new Error("Say which version this is: node test/deployment/releases/record.ts 0.2.0");
}
const database = await startDatabase({ ephemeral: true });
const project = { url: "", serviceKey: "sb_secret_of_the_recording" };
const rest = await startRest({ databaseUrl: database.authenticatorUrl, serviceKey: project.serviceKey });
project.url = rest.url;
try {
  const file = new URL(`./${version}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(await record(), null, 1)}\n`);
  console.log(`${file.pathname} is written.`);
} finally {
  await rest.stop();
  await database.stop();
}

async function record(): Promise<Release> {
  const tracerToken = "tk_of_the_recording";
  const token = { tenant: "recorded", name: "release", token_hash: await hashTracerToken(tracerToken) };
  await callFunction(project, "create_tracer_token", token);
  const record = recorder(tracerToken);
  return {
    schema_version: SCHEMA_VERSION,
    token: { name: "create_tracer_token", payload: token },
    writes: await inTurn(WRITES, record),
    retried: await record(RETRIED),
    reads: await inTurn(READS, record),
  };
}

async function inTurn(
  requests: StoryRequest[],
  record: (request: StoryRequest) => Promise<RecordedRequest>,
): Promise<RecordedRequest[]> {
  const recorded: RecordedRequest[] = [];
  for (const request of requests) recorded.push(await record(request));
  return recorded;
}

/** Sends requests to the API in this process, and keeps what it asks the database. */
function recorder(tracerToken: string) {
  let calls: RecordedCall[] = [];
  const keeping: typeof fetch = (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    calls.push({ name: pathname.split("/").at(-1) ?? "", ...JSON.parse(`${init?.body}`) });
    return fetch(input, init);
  };
  const app = createApp({
    store: new Store(project.url, project.serviceKey, { fetch: keeping }),
    readAsset: async () => undefined,
    now: () => new Date(),
    newId: () => crypto.randomUUID(),
    log: () => {},
  });
  return async ({ method, path, body, headers }: StoryRequest): Promise<RecordedRequest> => {
    calls = [];
    const response = await app.request(`http://api.test/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${tracerToken}`, "Content-Type": "application/json", ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${answer}`);
    return { request: `${method} ${path}`, calls };
  };
}
