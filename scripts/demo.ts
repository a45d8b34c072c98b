// `npm run demo`: a realistic afternoon, sent into the running `npm run dev` as a client would send it.
import { parseOptions, runCommand } from "./command-line.ts";
import { ApiClient } from "./demo/client.ts";
import { goOnLive } from "./demo/live.ts";
import { sendAfternoon } from "./demo/send.ts";
import { summaryOf } from "./demo/summary.ts";
import { findTarget } from "./demo/target.ts";

const USAGE = `Usage: npm run demo -- [--live] [--url URL] [--token TOKEN]

Sends an afternoon of a support desk to the API: about 40 sessions of four agents, over the four hours up to now.
  --live         goes on with a step every second or two, in one session, until Ctrl-C
  --url URL      the API, as http://127.0.0.1:8787; else the running \`npm run dev\` of DATA_DIR
  --token TOKEN  a tracer token; else MONKAI_TRACER_TOKEN, else the one that \`npm run dev\` prints
There is one afternoon a day, in UTC: sent again it adds nothing. Model prices and anonymization rules stay as they are.`;

await runCommand(USAGE, async (args) => {
  const text = { type: "string" } as const;
  const { values } = parseOptions({ args, options: { live: { type: "boolean" }, url: text, token: text } });
  const client = new ApiClient(findTarget(values));
  console.log(await summaryOf(await sendAfternoon(client), client));
  if (values.live) await live(client);
});

async function live(client: ApiClient): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stopping.abort());
  const sessionId = `live-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "")}`;
  console.log(`Live: a step every second or two in the session ${sessionId}. Ctrl-C ends it.`);
  const sent = await goOnLive(client, sessionId, stopping.signal);
  console.log(`\nLive steps sent: ${sent}.`);
}
