export interface Message {
  role: string;
  content: string | object[] | null;
  [field: string]: unknown;
}

interface Call {
  prompt: Message[];
  output: object;
  /** How many tokens of the prompt the provider has seen before. */
  known: number;
  reasoning: number;
}

/** What the descriptions of its tools add to each prompt. */
const TOOL_TOKENS = 410;
/** A picture or a document is not counted by the letters of its base64. */
const FILE_TOKENS = 900;
/** OpenAI keeps prompts from this length on, in pieces of 128. */
const LEAST_CACHED = 1024;

/** The `usage` of a call in the form of its provider, with what was prompted and written in tokens. */
export function usageOf(provider: string, { prompt, output, known, reasoning }: Call) {
  const prompted = TOOL_TOKENS + prompt.reduce((sum, message) => sum + tokensOf(message), 0);
  const written = tokensOf(output) + reasoning;
  const cached = known >= LEAST_CACHED ? Math.floor(known / 128) * 128 : 0;
  const usage = provider === "anthropic" ? anthropicUsage : openAiUsage;
  return { usage: usage({ prompted, written, cached, reasoning }), prompted, written };
}

interface Tokens {
  prompted: number;
  written: number;
  cached: number;
  reasoning: number;
}

function openAiUsage({ prompted, written, cached, reasoning }: Tokens): object {
  return {
    prompt_tokens: prompted,
    completion_tokens: written,
    total_tokens: prompted + written,
    ...(cached > 0 ? { prompt_tokens_details: { cached_tokens: cached } } : {}),
    ...(reasoning > 0 ? { completion_tokens_details: { reasoning_tokens: reasoning } } : {}),
  };
}

/** Tokens from the cache are told beside the input. */
function anthropicUsage({ prompted, written, cached }: Tokens): object {
  return {
    input_tokens: prompted - cached,
    output_tokens: written,
    ...(cached > 0 ? { cache_read_input_tokens: cached } : {}),
  };
}

/** Near enough: four letters a token, one of the scripts that have many letters. */
function tokensOf(said: object): number {
  const text = JSON.stringify(said);
  const files = text.match(/[A-Za-z0-9+/]{200,}={0,2}/g) ?? [];
  const letters = files.reduce((rest, file) => rest - file.length, text.length);
  const wide = text.match(/[\u0600-\u06ff\u3000-\u9fff]/g)?.length ?? 0;
  return Math.ceil((letters - wide) / 4) + wide + files.length * FILE_TOKENS;
}
