import type postgres from "postgres";
import { expect, inject } from "vitest";
import { inDatabase } from "../../scripts/stack/new-database.ts";
import { startRest } from "../../scripts/stack/rest.ts";
import type { RecordedCall, RecordedRequest } from "../deployment/releases/release.ts";
import type { StoryRequest } from "../deployment/releases/story.ts";
import { appInProcess } from "./app.ts";
import { type Api, Client } from "./tenant.ts";

/** The API in this process, on a database of a test's own that has its migrations. */
export async function withApi(url: string, use: (api: Api) => Promise<void>): Promise<void> {
  const databaseUrl = inDatabase(inject("authenticatorUrl"), new URL(url).pathname.slice(1));
  const serviceKey = "sb_secret_of_the_test";
  const rest = await startRest({ databaseUrl, serviceKey });
  try {
    await use(appInProcess(rest.url, serviceKey).api);
  } finally {
    await rest.stop();
  }
}

/** Sends a request of the story to the API, by the token of the recording. Expects 200. */
export async function sendOfStory(api: Api, { method, path, body }: StoryRequest): Promise<string> {
  const init = { method, ...(body && { body: JSON.stringify(body) }) };
  const response = await new Client(api, "tk_of_the_recording").send(`/v1${path}`, body, init);
  expect([path, response.status]).toEqual([path, 200]);
  return response.text();
}

/** Makes recorded calls as a Worker does, and gives their answers. Throws for an answer with an error. */
export async function repeat(
  sql: postgres.Sql,
  { request, calls }: RecordedRequest,
  tokenHash?: string,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const call of calls) {
    const answer = await ask(sql, call, tokenHash);
    if (answer.error) throw new Error(`${request} was answered with ${JSON.stringify(answer.error)}`);
    answers.push(answer);
  }
  return answers;
}

/** What a request function answers. */
export interface Answer {
  data?: unknown;
  replay?: unknown;
  error?: unknown;
}

/** One call, by the token of the recording or by another one. */
export async function ask(
  sql: postgres.Sql,
  { name, payload }: RecordedCall,
  tokenHash?: string,
): Promise<Answer> {
  const sent = { ...payload, ...(tokenHash && { token_hash: tokenHash }) };
  const [row] = await sql`select ${sql(`public.${name}`)}(${sql.json(sent as postgres.JSONValue)}) as answer`;
  return row?.answer;
}
