import { appInProcess, type InProcessApp } from "./app.ts";

/** A call of the database. */
export interface Called {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is sent is read as any receiver would
  payload: any;
}

/** What the database answers when it took all steps. */
export const STORED = { data: { refused: [] } };

/** The app in front of a database that answers these, in order, and the last one from then on. */
export function appOver(...answers: (object | Response)[]): InProcessApp & { called: Called[] } {
  const called: Called[] = [];
  const app = appInProcess("http://rest.invalid", "a key", {
    fetch: async (input, init) => {
      called.push({ name: String(input).split("/").pop() ?? "", ...JSON.parse(`${init?.body}`) });
      const answer = answers[Math.min(called.length, answers.length) - 1];
      return answer instanceof Response ? answer.clone() : Response.json(answer);
    },
  });
  return Object.assign(app, { called });
}
