import { isObject, withoutNulls } from "./json.ts";
import type { StepColumns } from "./step.ts";

/** The figures of a call under the names of the field, and others as they were told. */
export type Usage = Record<string, number>;

type TokenColumns = Pick<
  StepColumns,
  "input_tokens" | "output_tokens" | "total_tokens" | "cached_input_tokens" | "reasoning_tokens"
>;

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
    "prompt_cache_hit_tokens",
    "cachedInputTokens",
    "cacheReadInputTokens",
    "cacheReadTokens",
    "cache_read",
  ],
  cache_creation_input_tokens: [
    "cache_creation_input_tokens",
    "cache_write_input_tokens",
    "cache_write_tokens",
    "input_cache_creation",
  ],
  reasoning_tokens: [
    "reasoning_tokens",
    "output_reasoning_tokens",
    "output_reasoning",
    "reasoningTokens",
    "reasoning",
  ],
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
export function usageOf(told: unknown): { usage: Usage; isWhole: boolean } {
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
export function tokenColumns(usage: Usage): TokenColumns {
  const { input_tokens, output_tokens } = usage;
  const isCounted = input_tokens !== undefined || output_tokens !== undefined;
  const total_tokens =
    usage.total_tokens ?? (isCounted ? (input_tokens ?? 0) + (output_tokens ?? 0) : undefined);
  return withoutNulls({ input_tokens, output_tokens, total_tokens, ...tokenDetails(usage) });
}

/**
 * The columns that say more of these tokens. Those from a cache are part of the input in the conventions of OpenTelemetry and of
 * OpenAI, and beside it in those of Anthropic: they are taken as they are told, and the input stays as it was told.
 */
export function tokenDetails({ cached_input_tokens, reasoning_tokens }: Usage): TokenColumns {
  return withoutNulls({ cached_input_tokens, reasoning_tokens });
}

interface TokenUsage {
  input: number;
  output: number;
}

/** The spellings that the published API knows, in the order in which they count. */
const INPUT_SPELLINGS = ["prompt_tokens", "input_tokens", "promptTokens", "inputTokens"];
const OUTPUT_SPELLINGS = ["completion_tokens", "output_tokens", "completionTokens", "outputTokens"];

/** Counts an LLM call's tokens from `output.usage`, in the spellings of the field. What is absent counts 0. */
export function tokenUsage(output: Record<string, unknown> | undefined): TokenUsage {
  const usage = output?.usage;
  if (typeof usage !== "object" || usage === null) return { input: 0, output: 0 };
  return { input: firstCount(usage, INPUT_SPELLINGS), output: firstCount(usage, OUTPUT_SPELLINGS) };
}

function firstCount(usage: object, spellings: string[]): number {
  const counts = spellings.map((spelling) => (usage as Record<string, unknown>)[spelling]);
  return counts.find((count): count is number => Number.isSafeInteger(count) && (count as number) >= 0) ?? 0;
}
