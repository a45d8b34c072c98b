// `npm run bundle`: how large the Worker is that `npm run deploy:workers` uploads, and how long it takes to start.
import { FULL } from "./bench/settings.ts";
import { table } from "./bench/table.ts";
import { workerSize } from "./bench/worker-size.ts";

console.log(table(await workerSize(FULL)));
