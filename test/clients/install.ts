// Installs the packages of each client into its own folder, where they are not there yet: as its users would, they share none.
// What npm does not do, or only by scripts of packages, is the client's own script `setup`, which can run again.
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** No lockfile: what the clients themselves depend on is what their users get today. */
const OPTIONS = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];

const clients = readdirSync(FOLDER).filter((name) => existsSync(`${FOLDER}${name}/package.json`));
const waiting = [...clients];

const failure = new AbortController();
// Two at once: npm waits for the network as long as it computes.
await Promise.all([installAll(), installAll()]);

async function installAll(): Promise<void> {
  for (let client = waiting.shift(); client; client = waiting.shift()) {
    try {
      await install(client);
    } catch (error) {
      if (failure.signal.aborted) return;
      failure.abort();
      console.error(`The packages of test/clients/${client} cannot be installed: is there a network?`);
      console.error((error as { stderr?: string }).stderr);
      process.exitCode = 1;
    }
  }
}

async function install(client: string): Promise<void> {
  const npm = (...command: string[]) =>
    promisify(execFile)("npm", command, { cwd: `${FOLDER}${client}`, signal: failure.signal });
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
