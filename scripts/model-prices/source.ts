import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** Where prices come from: a package of npm that people keep up. `as_of` is the day on which this version came out. */
export const SOURCE = { name: "@pydantic/genai-prices", version: "0.1.8", as_of: "2026-09-23" };

/** Who sells models, as the package has them. */
export interface Provider {
  id: string;
  models: { match: Match; prices: Rates | { constraint?: Constraint; prices: Rates }[] }[];
}

export type Match =
  | { or: Match[] }
  | { and: Match[] }
  | { equals: string }
  | { starts_with: string }
  | { contains: string }
  | { ends_with: string }
  | { regex: string };

/** Dollars by unit, as `input_mtok`: a million tokens of input. The first tier of several is their `base`. */
type Rates = Record<string, number | { base: number } | undefined>;
type Constraint = { type: "start_date"; start_date: string } | { type: "time_of_date" };

/** What a model costs from a day on. */
export interface Price {
  valid_from?: string;
  input?: number;
  cached_input?: number;
  output?: number;
}

/** The providers with these ids, from the package, which is unpacked into a folder that is gone afterwards. */
export async function readProviders(ids: string[]): Promise<Provider[]> {
  const folder = await mkdtemp(join(tmpdir(), "model-prices-"));
  const run = promisify(execFile);
  try {
    const packed = `${SOURCE.name}@${SOURCE.version}`;
    const { stdout } = await run("npm", ["pack", "--silent", packed], { cwd: folder });
    await run("tar", ["-xzf", stdout.trim()], { cwd: folder });
    const { findProvider } = await import(pathToFileURL(join(folder, "package/dist/index.js")).href);
    return ids.map((id) => {
      const provider = findProvider({ providerId: id });
      if (provider?.id !== id) throw new Error(`${packed} has no provider ${id}.`);
      return provider;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a provider takes for the model of this name, as the package finds it; undefined: it does not know, or not by the day. */
export function pricesAt({ models }: Provider, name: string): Price[] | undefined {
  const model = models.find(({ match }) => matches(match, name.toLowerCase()));
  return model && pricesOf(model);
}

/** The prices of a model, oldest first; undefined where they are not those of text, or not the same all day. */
export function pricesOf({ prices }: Provider["models"][number]): Price[] | undefined {
  const all = Array.isArray(prices) ? prices : [{ prices }];
  if (all.some(({ constraint, prices }) => constraint?.type === "time_of_date" || !isText(prices)))
    return undefined;
  const read = all.map(({ constraint, prices: { input_mtok, cache_read_mtok, output_mtok } }) => ({
    valid_from: constraint?.type === "start_date" ? constraint.start_date : undefined,
    input: baseOf(input_mtok),
    cached_input: baseOf(cache_read_mtok),
    output: baseOf(output_mtok),
  }));
  return read.filter((price, index) => !isSame(price, read[index - 1]));
}

/** Where only what lies above the first tier was changed. */
function isSame(one: Price, other: Price | undefined): boolean {
  return (
    one.input === other?.input && one.cached_input === other?.cached_input && one.output === other?.output
  );
}

/** Whether all that a model takes is known by its tokens of text. Sounds and images that come in are told apart by no step. */
function isText(rates: Rates): boolean {
  const others = Object.keys(rates).filter((unit) => OTHER_UNITS.test(unit));
  return others.length === 0 && (baseOf(rates.input_mtok) ?? 0) + (baseOf(rates.output_mtok) ?? 0) > 0;
}

const OTHER_UNITS =
  /^(output_(audio|image|video|reasoning|citation)|requests_|audio_|input_audio_hours|.*_kpages)/;

function baseOf(rate: number | { base: number } | undefined): number | undefined {
  return typeof rate === "object" ? rate.base : rate;
}

function matches(match: Match, name: string): boolean {
  if ("or" in match) return match.or.some((one) => matches(one, name));
  if ("and" in match) return match.and.every((one) => matches(one, name));
  if ("equals" in match) return name === match.equals.toLowerCase();
  if ("starts_with" in match) return name.startsWith(match.starts_with.toLowerCase());
  if ("contains" in match) return name.includes(match.contains.toLowerCase());
  if ("ends_with" in match) return name.endsWith(match.ends_with.toLowerCase());
  return new RegExp(match.regex).test(name);
}
