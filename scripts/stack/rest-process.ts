// The REST layer in a process of its own, started by rest-supervisor.ts. When a backend of Postgres is killed, its driver
// throws where nobody can catch it and leaves queries without an answer: then this process ends and a new one starts.
import { type RestOptions, startRest } from "./rest.ts";

process.on("uncaughtException", (error) => {
  console.error(`The REST layer lost Postgres and starts anew: ${error.message}`);
  process.exit(1);
});
// Ends with its parent, however that ends.
process.stdin.on("end", () => process.exit()).resume();

const options: RestOptions = JSON.parse(process.env.REST_OPTIONS ?? "{}");
delete process.env.REST_OPTIONS;
await startRest(options);
console.log("started");
