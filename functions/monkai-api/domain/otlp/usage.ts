import { isObject } from "../json.ts";
import type { Json } from "./plain.ts";

/** The figures of a call under the names of the field, and others as they were told. */
export type Usage = Record<string, number>;

export type UsageField =
  | "input_tokens"
  | "output_tokens"
  | "total_tokens"
  | "cached_input_tokens"
  | "cache_creation_input_tokens"
  | "reasoning_tokens";

/** What the members of a `usage` object are called, in the APIs of language models and by those who trace them. */
const SPELLINGS: Record<UsageField, string[]> = {
  input_tokens: ["input_tokens", "prompt_tokens", "inputTokens", "promptTokens", "input", "prompt"],
  output_tokens: [
    "output_tokens",
    "completion_tokens",
    "outputTokens",
    "completionTokens",
    "output",
    "completion",
  ],
  total_tokens: ["total_tokens", "totalTokens", "total"],
  cached_input_tokens: [
    "cached_input_tokens",
    "cached_tokens",
    "cache_read_input_tokens",
    "input_cached_tokens",
    "input_cache_read",
    "cachedInputTokens",
  ],
  cache_creation_input_tokens: [
    "cache_creation_input_tokens",
    "cache_write_input_tokens",
    "cache_write_tokens",
    "input_cache_creation",
  ],
  reasoning_tokens: ["reasoning_tokens", "output_reasoning_tokens", "output_reasoning", "reasoningTokens"],
};

const CANONICAL = new Map(
  Object.entries(SPELLINGS).flatMap(([field, names]) => names.map((name) => [name, field] as const)),
);

/** Nobody counts more tokens than this in one call. */
const MOST_TOKENS = 2 ** 31 - 1;

/** A number of tokens, which some send as a text. Undefined where it is none: negative, fractional, absurd. */
export function tokenCount(told: unknown): number | undefined {
  const count = typeof told === "string" && /^\d{1,10}$/.test(told) ? Number(told) : told;
  if (typeof count !== "number" || !Number.isInteger(count)) return undefined;
  return count >= 0 && count <= MOST_TOKENS ? count : undefined;
}

/** The figures of a `usage` object, those of its details too. `isWhole`: it holds nothing else. */
export function usageOf(told: Json | undefined): { usage: Usage; isWhole: boolean } {
  const figures = new Map<string, number>();
  const isWhole = isObject(told) && readFigures(told, figures, "");
  return { usage: Object.fromEntries(figures), isWhole };
}

function readFigures(told: object, figures: Map<string, number>, within: string): boolean {
  let isWhole = true;
  for (const [name, value] of Object.entries(told)) {
    const figure = tokenCount(value);
    const field = CANONICAL.get(name) ?? `${within}${name}`;
    if (figure === undefined) {
      isWhole = isObject(value) && within === "" && readFigures(value, figures, `${name}.`) && isWhole;
    } else if (figures.has(field)) isWhole = isWhole && figures.get(field) === figure;
    else figures.set(field, figure);
  }
  return isWhole;
}

/** The columns of a call: absent where nothing is told. The sum is made where it is not told. */
export function tokenColumns(usage: Usage): { [column: string]: number } {
  const { input_tokens, output_tokens, total_tokens } = usage;
  if (input_tokens === undefined && output_tokens === undefined && total_tokens === undefined) return {};
  return {
    ...(input_tokens === undefined ? {} : { input_tokens }),
    ...(output_tokens === undefined ? {} : { output_tokens }),
    total_tokens: total_tokens ?? (input_tokens ?? 0) + (output_tokens ?? 0),
  };
}
