import { type ParseArgsConfig, parseArgs } from "node:util";
import { explain } from "./stack/explain.ts";

/** The command line cannot be understood. The usage is shown below the message. */
export class UsageError extends Error {}

/**
 * Runs a command of package.json, and sets the exit code: 0 where it did what was asked for, 1 where that failed (or the
 * number that `run` gives), 2 where the command line was not understood. With `--help` it prints its usage and does nothing.
 */
export async function runCommand(usage: string, run: (args: string[]) => unknown): Promise<void> {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) {
    console.log(usage);
    return;
  }
  try {
    const code = await run(args);
    process.exitCode = typeof code === "number" ? code : 0;
  } catch (error) {
    const misunderstood = error instanceof UsageError;
    console.error(misunderstood ? `${error.message}\n\n${usage}` : explain(error));
    process.exitCode = misunderstood ? 2 : 1;
  }
}

/** What node's parseArgs makes of them. Throws a UsageError where it does not know one, or where npm took one. */
export function parseOptions<Config extends ParseArgsConfig>(config: Config) {
  refuseTakenByNpm([...(config.args ?? [])], Object.keys(config.options ?? {}));
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(explain(error));
  }
}

/** The value of an option that must be given. */
export function required(value: string | undefined, option: string): string {
  if (!value?.trim()) throw new UsageError(`${option} is missing or empty.`);
  return value.trim();
}

/** For a command that takes none. */
export function refuseArguments(args: string[]): void {
  parseOptions({ args, options: {} });
}

function asksForHelp(args: string[]): boolean {
  const help = { type: "boolean", short: "h" } as const;
  return parseArgs({ args, strict: false, options: { help } }).values.help === true;
}

/** `npm run token create --tenant x`: npm keeps what stands before `--`, and puts it into variables. */
function refuseTakenByNpm(args: string[], names: string[]): void {
  if (!process.env.npm_lifecycle_event) return;
  const taken = names.filter((name) => {
    const isGiven = args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    return !isGiven && process.env[`npm_config_${name.replaceAll("-", "_")}`] !== undefined;
  });
  if (taken.length === 0) return;
  throw new UsageError(
    `npm took ${taken.map((name) => `--${name}`).join(", ")} for an option of its own. ` +
      `Put -- before the command's: npm run ${process.env.npm_lifecycle_event} -- ...`,
  );
}
