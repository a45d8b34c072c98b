interface TokenUsage {
  input: number;
  output: number;
}

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
