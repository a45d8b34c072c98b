// Builds the page at /v1/view. `npm run dev`, both deploy commands and the tests do it by themselves.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildResult, buildSync, type Metafile } from "esbuild";
import type { ViewerFiles } from "../functions/monkai-api/routes/view.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Beside the files of /docs. None of them is committed. */
export const VIEWER_FOLDER = `${root}functions/monkai-api/assets/view`;

const ENTRY = "viewer/main.tsx";

/** The viewer's files and what each of them is made of; nothing is written. */
export function bundleViewer(): BuildResult<{ write: false; metafile: true }> {
  return buildSync({
    absWorkingDir: root,
    entryPoints: [ENTRY],
    outdir: VIEWER_FOLDER,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2024",
    // The package's own asks the browser by `innerHTML`, which the page's policy refuses.
    alias: { "decode-named-character-reference": "./viewer/panel/named-characters.ts" },
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
  });
}

/** Where the build puts what the page loads at once. */
export function entryOf({ outputs }: Metafile): ViewerFiles {
  const entry = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === ENTRY);
  if (!entry?.[1].cssBundle) throw new Error("The viewer's build has no script or no style.");
  return { script: entry[0], style: entry[1].cssBundle };
}

/** Builds the viewer, and gives the names of what its page loads at once. Several may build at the same time. */
export function buildViewer(): ViewerFiles {
  const { outputFiles, metafile } = bundleViewer();
  const { script, style } = entryOf(metafile);
  const files = { script: basename(script), style: basename(style) };

  mkdirSync(VIEWER_FOLDER, { recursive: true });
  const built = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  for (const [name, contents] of built) write(name, contents);
  write("manifest.json", JSON.stringify(files));
  for (const name of readdirSync(VIEWER_FOLDER)) {
    const isOld = /\.(js|css)$/.test(name) && !built.has(name);
    if (isOld) rmSync(`${VIEWER_FOLDER}/${name}`, { force: true });
  }
  return files;
}

/** In one moment: others may be reading it, or writing the same. */
function write(name: string, contents: string | Uint8Array): void {
  const unfinished = `${VIEWER_FOLDER}/${name}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, `${VIEWER_FOLDER}/${name}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) buildViewer();
