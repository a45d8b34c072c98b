import { readFileSync } from "node:fs";

const PAGES = new URL("../../../docs/clients/", import.meta.url);

export interface Page {
  /** Its code in JavaScript, block by block. */
  programs: string[];
  /** The packages that it installs. */
  packages: string[];
  /** The variables that it sets: lines for a shell. */
  exports: string[];
  /** The lines that run a program. */
  commands: string[];
}

/** What a page of docs/clients tells its reader to do. */
export function readPage(name: string): Page {
  const page = readFileSync(new URL(`${name}.md`, PAGES), "utf8");
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, block]) => block as string);
  const lines = blocks("sh").flatMap((block) => block.trim().split("\n"));
  const beginning = (word: string) => lines.filter((line) => line.startsWith(`${word} `));
  return {
    programs: blocks("js"),
    packages: beginning("npm install").flatMap((line) => line.split(" ").slice(2)),
    exports: beginning("export"),
    commands: beginning("node"),
  };
}
