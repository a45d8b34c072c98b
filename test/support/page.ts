import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { parseCurl } from "./curl.ts";
import { ROOT } from "./dev.ts";

/** A page of the documentation, and the commands in it. */
export class Page {
  readonly text: string;
  /** Its blocks of commands for a shell, in their order. */
  readonly commands: string[];

  /** `path` begins at the top of the repository. */
  constructor(path: string) {
    this.text = readFileSync(`${ROOT}/${path}`, "utf8");
    this.commands = this.blocks("sh");
  }

  blocks(language: string): string[] {
    const found = this.text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"));
    return [...found].map(([, block]) => (block as string).trim());
  }

  /** The one block of commands that says this. */
  command(text: string): string {
    const [found = "", ...more] = this.commands.filter((commands) => commands.includes(text));
    expect([text, found !== "", more]).toEqual([text, true, []]);
    return found;
  }
}

/** Sends a curl line as it stands on a page to the API at this address. Expects 200. */
export async function sendCurl(line: string, tracerToken: string, address: string): Promise<Response> {
  const { url, init } = parseCurl(line, { MONKAI_TRACER_TOKEN: tracerToken });
  const response = await fetch(url.replace("http://127.0.0.1:8787", address), init);
  expect([line, response.status]).toEqual([line, 200]);
  return response;
}
