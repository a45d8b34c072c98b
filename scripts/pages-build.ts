// Makes the files of the pages at /v1/view and /v1/docs. `npm run dev`, both deploy commands and the tests do it by themselves.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildResult, buildSync, type Metafile } from "esbuild";
import type { ViewerFiles } from "../functions/monkai-api/routes/view.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const ASSETS = `${root}functions/monkai-api/assets`;

/** The viewer's files. */
export const VIEWER_FOLDER = `${ASSETS}/view`;

const ENTRY = "viewer/main.tsx";

/** Swagger UI in the page at /docs: a file of its package, and the name that it gets. Its licence goes where it goes. */
const SWAGGER_UI = {
  "swagger-ui-bundle.js": "swagger-ui-bundle.js",
  "swagger-ui.css": "swagger-ui.css",
  LICENSE: "swagger-ui-LICENSE.txt",
  NOTICE: "swagger-ui-NOTICE.txt",
};

/**
 * Makes what both pages load, of which nothing is committed but `docs.js`, and gives the names of what the viewer loads at
 * once. Several may build at the same time.
 */
export function buildPages(): ViewerFiles {
  copySwaggerUi();
  return buildViewer();
}

function copySwaggerUi(): void {
  const fromPackage = createRequire(import.meta.url);
  for (const [file, name] of Object.entries(SWAGGER_UI)) {
    write(`${ASSETS}/${name}`, readFileSync(fromPackage.resolve(`swagger-ui-dist/${file}`)));
  }
}

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

function buildViewer(): ViewerFiles {
  const { outputFiles, metafile } = bundleViewer();
  const { script, style } = entryOf(metafile);
  const files = { script: basename(script), style: basename(style) };

  mkdirSync(VIEWER_FOLDER, { recursive: true });
  const built = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  for (const [name, contents] of built) write(`${VIEWER_FOLDER}/${name}`, contents);
  write(`${VIEWER_FOLDER}/manifest.json`, JSON.stringify(files));
  for (const name of readdirSync(VIEWER_FOLDER)) {
    const isOld = /\.(js|css)$/.test(name) && !built.has(name);
    if (isOld) rmSync(`${VIEWER_FOLDER}/${name}`, { force: true });
  }
  return files;
}

/** In one moment: others may be reading it, or writing the same. */
function write(path: string, contents: string | Uint8Array): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) buildPages();
