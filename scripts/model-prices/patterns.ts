import type { Match, Price, Provider } from "./source.ts";

/** A pattern and what it stands for. */
export interface Entry {
  model: string;
  prices: Price[];
}

/** The names, and the beginnings and ends of names, by which a provider knows its models. */
export function namesOf({ models }: Provider): string[] {
  const patterns = models.flatMap(({ match }) => patternsOf(match));
  return [
    ...new Set(
      patterns.filter((pattern) => !/-2?0\*$/.test(pattern)).map((pattern) => pattern.replaceAll("*", "")),
    ),
  ];
}

/** The patterns for what the package says of a name. A regular expression of which none can be made gives none. */
export function patternsOf(match: Match): string[] {
  if ("or" in match) return match.or.flatMap(patternsOf);
  if ("and" in match) return match.and.slice(0, 1).flatMap(exactly);
  if ("equals" in match) return [match.equals];
  if ("starts_with" in match) return [`${match.starts_with}*`];
  if ("contains" in match) return [`*${match.contains}*`];
  if ("ends_with" in match) return [`*${match.ends_with}`];
  const [, name] = DATED.exec(match.regex) ?? [];
  return name ? [`${name.replaceAll("\\", "")}${ANY_DAY}`] : [];
}

/** What begins like that, but for names that the package excludes: the name itself, and its versions of a month. */
function exactly(match: Match): string[] {
  if (!("starts_with" in match)) return [];
  const name = match.starts_with;
  const months = name.endsWith("-preview") ? ["-0*"] : ["-0*", "-preview-0*"];
  return [name, ...months.map((month) => `${name}${month}`)];
}

const ANY_DAY = "-20*";

/** As `^gpt-6-sol-\d{4}-\d{2}-\d{2}$`. */
const DATED = /^\^([\w.\\/-]+)-\\d\{(?:4|8)\}(?:-\\d\{2\}-\\d\{2\})?\$$/;

/** The entry that counts for a name: by the rules of internal.prices_of_models. */
export function entryFor(entries: Entry[], name: string): Entry | undefined {
  return entries
    .filter((entry) => isMatch(entry, name))
    .sort(
      (one, other) =>
        specificity(other) - specificity(one) ||
        stars(one) - stars(other) ||
        (one.model < other.model ? -1 : 1),
    )
    .at(0);
}

export function isMatch({ model }: Entry, name: string): boolean {
  return regExpOf(model).test(name);
}

function specificity({ model }: Entry): number {
  return model.replaceAll("*", "").length;
}

function stars({ model }: Entry): number {
  return model.includes("*") ? 1 : 0;
}

const compiled = new Map<string, RegExp>();

function regExpOf(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  const made = new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`, "i");
  compiled.set(pattern, made);
  return made;
}

function escaped(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
}
