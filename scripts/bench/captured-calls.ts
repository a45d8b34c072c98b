import type postgres from "postgres";
import { createApp } from "../../functions/monkai-api/app.ts";
import { Store } from "../../functions/monkai-api/store/store.ts";
import type { Project } from "../stack/rpc.ts";

/** A call of a request function, as the API makes it. */
export interface Call {
  name: string;
  payload: { [member: string]: postgres.JSONValue };
}

/** Sends a request to the API in this process and gives back what it asked the database last. Throws unless it is 200. */
export async function capturedCall(project: Project, path: string, init: RequestInit): Promise<Call> {
  let call: Call | undefined;
  const capturing: typeof fetch = (input, request) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    call = { name: pathname.split("/").at(-1) ?? "", ...JSON.parse(`${request?.body}`) };
    return fetch(input, request);
  };
  const app = createApp({
    store: new Store(project.url, project.serviceKey, { fetch: capturing }),
    readAsset: async () => undefined,
    now: () => new Date(),
    newId: () => crypto.randomUUID(),
    log: () => {},
  });
  const response = await app.request(`http://api.bench${path}`, init);
  if (response.status !== 200 || !call) throw new Error(`${path} answered ${response.status}`);
  return call;
}
