import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import type { Metafile } from "esbuild";
import { bundleViewer, entryOf } from "./pages-build.ts";

/** KiB of gzip, of the viewer's scripts and styles. */
export interface ViewerSizes {
  /** What the page loads before it shows the first list. */
  first: number;
  /** All of them, with what is loaded when it is first needed. */
  all: number;
}

/** How large the viewer is, as it is built. */
export function viewerSizes(): ViewerSizes {
  const { outputFiles, metafile } = bundleViewer();
  const first = new Set(loadedAtOnce(metafile).map((path) => basename(path)));
  const sizes = { first: 0, all: 0 };
  for (const { path, contents } of outputFiles) {
    const size = gzipSync(contents).length / 1024;
    sizes.all += size;
    if (first.has(basename(path))) sizes.first += size;
  }
  return sizes;
}

/** The page's script and style, and all that the script imports without waiting. */
function loadedAtOnce(metafile: Metafile): string[] {
  const { script, style } = entryOf(metafile);
  const found = new Set([script]);
  for (const path of found) {
    for (const { kind, path: imported } of metafile.outputs[path]?.imports ?? []) {
      if (kind === "import-statement") found.add(imported);
    }
  }
  return [...found, style];
}
