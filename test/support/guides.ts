import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { COMMANDS } from "../../scripts/deploy-supabase.ts";
import { ROOT } from "./dev.ts";
import { runTool } from "./tools.ts";

const read = (path: string) => readFileSync(`${ROOT}/${path}`, "utf8");

/** Both pages on deploying. */
export const guides = `${read("docs/deploy-cloudflare.md")}\n${read("docs/deploy-supabase.md")}`;

const { scripts } = JSON.parse(read("package.json"));

/** The command lines of a tool that the guides' lines start, whether by npx or by `npm run`. */
export function commandsOf(tool: "wrangler" | "supabase"): string[] {
  const lines = guides.match(/(?<=^ *|[`(])(npx|npm run) [^`)\n]+/gm) ?? [];
  return lines.flatMap(commandLines).filter((line) => line.startsWith(`${tool} `));
}

function commandLines(line: string): string[] {
  const [, name, options] = /^npm run (?:--silent )?(\S+)(?: --)?(.*)$/.exec(line) ?? [];
  if (name) return `${scripts[name]}${options}`.split(" && ").flatMap(commandLines);
  if (line.startsWith("node scripts/deploy-supabase.ts")) return COMMANDS.flatMap(commandLines);
  return [line.replace(/^npx (--yes )?(\w+)(@\S+)?/, "$2")];
}

/** Checks that a tool knows each of the commands and all its options; `start` is what one types for the tool's name. */
export async function expectKnown(commands: string[], start: string): Promise<void> {
  const words = (command: string) => /^\w+( [a-z]+(?= |$))+/.exec(command)?.[0] ?? command;
  const names = [...new Set(commands.map(words))];
  const helpOf = (name: string) => runTool(`${name.replace(/^\w+/, start)} --help`);
  const help = new Map(await Promise.all(names.map(async (name) => [name, await helpOf(name)] as const)));
  for (const command of commands) {
    const text = help.get(words(command)) ?? "";
    expect(text).toMatch(new RegExp(`^ *${words(command)}( |$)`, "m"));
    const options = command.match(/--[a-z-]+/g) ?? [];
    expect([command, options.filter((option) => !text.includes(option))]).toEqual([command, []]);
  }
}
