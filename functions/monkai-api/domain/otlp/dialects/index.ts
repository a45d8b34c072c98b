import { aiSdk } from "./ai-sdk.ts";
import { claudeCode } from "./claude-code.ts";
import { codex } from "./codex.ts";
import { common } from "./common.ts";
import type { Dialect } from "./dialect.ts";
import { geminiCli } from "./gemini-cli.ts";
import { genAi } from "./gen-ai.ts";
import { langfuse } from "./langfuse.ts";
import { langsmith } from "./langsmith.ts";
import { mastra } from "./mastra.ts";
import { openInference } from "./open-inference.ts";
import { olderTraceloop, traceloop } from "./traceloop.ts";

/**
 * In the order of trust: where several tell something of one span, the first one counts. A new dialect is a file beside this
 * one, its line below, and what its client sends in test/otlp/recordings.
 */
export const DIALECTS: Dialect[] = [
  common,
  langfuse,
  traceloop,
  genAi,
  olderTraceloop,
  openInference,
  aiSdk,
  claudeCode,
  codex,
  geminiCli,
  mastra,
  langsmith,
];
