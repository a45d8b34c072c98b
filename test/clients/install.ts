// Installs the packages of each client into its own folder, where they are not there yet: as its users would, they share none.
// What npm does not do, or only by scripts of packages, is the client's own script `setup`, which can run again.
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { refuseArguments, runCommand } from "../../scripts/command-line.ts";

const USAGE = `Usage: node test/clients/install.ts

Installs the packages of each client into its own folder, where they are not there yet. \`npm run test:clients\` begins with it.`;

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** No lockfile: what the clients themselves depend on is what their users get today. */
const OPTIONS = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];

await runCommand(USAGE, async (args) => {
  refuseArguments(args);
  const waiting = readdirSync(FOLDER).filter((name) => existsSync(`${FOLDER}${name}/package.json`));
  const failure = new AbortController();
  // Two at once: npm waits for the network as long as it computes.
  await Promise.all([installAll(waiting, failure), installAll(waiting, failure)]);
  return failure.signal.aborted ? 1 : 0;
});

async function installAll(waiting: string[], failure: AbortController): Promise<void> {
  for (let client = waiting.shift(); client; client = waiting.shift()) {
    try {
      await install(client, failure.signal);
    } catch (error) {
      if (failure.signal.aborted) return;
      failure.abort();
      console.error(`The packages of test/clients/${client} cannot be installed: is there a network?`);
      console.error((error as { stderr?: string }).stderr);
    }
  }
}

async function install(client: string, signal: AbortSignal): Promise<void> {
  const npm = (...command: string[]) =>
    promisify(execFile)("npm", command, { cwd: `${FOLDER}${client}`, signal });
  if (!isInstalled(client)) {
    console.log(`Installing the packages of test/clients/${client}`);
    await npm("install", ...OPTIONS);
  }
  await npm("run", "--if-present", "setup");
}

function isInstalled(client: string): boolean {
  const { dependencies = {} } = read(`${client}/package.json`);
  return Object.entries(dependencies).every(
    ([name, version]) => read(`${client}/node_modules/${name}/package.json`)?.version === version,
  );
}

function read(file: string) {
  return existsSync(FOLDER + file) ? JSON.parse(readFileSync(FOLDER + file, "utf8")) : undefined;
}
