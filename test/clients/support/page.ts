import { readFileSync } from "node:fs";

const PAGES = new URL("../../../docs/clients/", import.meta.url);

const RUNS_A_PROGRAM = /^(node|python|claude) /;

export interface Page {
  text: string;
  /** Its code in JavaScript and Python, block by block. */
  programs: string[];
  /** The packages that it installs. */
  packages: string[];
  /** What runs a program: each line with the variables that are set above it, for a shell. */
  commands: string[];
}

/** What a page of docs/clients tells its reader to do. */
export function readPage(name: string): Page {
  const text = readFileSync(new URL(`${name}.md`, PAGES), "utf8");
  const lines = blocksOf(text, "sh").flatMap((block) => block.trim().split("\n"));
  const exported = (above: number) => lines.slice(0, above).filter((line) => line.startsWith("export "));
  return {
    text,
    programs: [...blocksOf(text, "js"), ...blocksOf(text, "python")],
    packages: lines
      .filter((line) => /^(npm|pip) install /.test(line))
      .flatMap((line) => line.split(" ").slice(2)),
    commands: lines.flatMap((line, place) =>
      RUNS_A_PROGRAM.test(line) ? [[...exported(place), line].join("\n")] : [],
    ),
  };
}

function blocksOf(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"));
  return [...blocks].map(([, block]) => block as string);
}
