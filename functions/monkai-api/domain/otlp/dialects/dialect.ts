import type { StepStatus } from "../../step.ts";
import type { UsageField } from "../../token-usage.ts";
import type { Attributes } from "../attributes.ts";
import type { Json } from "../plain.ts";
import type { OtlpKind } from "../step.ts";

/** What a span is: its kind, and for a call of a model what the model does. */
export interface Meaning {
  kind: OtlpKind;
  operation?: string;
  /** Where being there at all says how it ended. */
  status?: StepStatus;
  /** Its input is that of the model call below it, which does not say it itself. */
  hasInputOfCall?: true;
}

export const CHAT: Meaning = { kind: "llm", operation: "chat" };
export const COMPLETION: Meaning = { kind: "llm", operation: "text_completion" };
export const FAILED_CHAT: Meaning = { ...CHAT, status: "error" };
export const EMBEDDINGS: Meaning = { kind: "llm", operation: "embeddings" };
export const TOOL: Meaning = { kind: "tool" };
export const AGENT: Meaning = { kind: "agent" };
export const SPAN: Meaning = { kind: "span" };
export const AROUND_CALL: Meaning = { kind: "span", hasInputOfCall: true };

/** An attribute that says what a span is. */
export interface KindSource {
  attribute: string;
  means: Record<string, Meaning> | ((value: string) => Meaning | undefined);
}

/** Where a value is: in an attribute of that name, or gathered. A text of JSON is parsed. */
export type Source =
  | string
  /** In attributes with numbers in their names, such as `llm.input_messages.0.message.role`: a list. */
  | { indexed: string }
  /** In several attributes: an object. Those of `texts` are no JSON, whatever they look like. */
  | { texts: Record<string, string>; values: Record<string, string> }
  /** In an attribute of an event. */
  | { event: string; attribute: string };

/** How long a call took to begin its answer, in milliseconds. `start` is the span's, in milliseconds since 1970. */
export interface FirstToken {
  attribute: string;
  milliseconds: (told: Json, start: number) => number | undefined;
}

/** The values that are read alike: the first attribute that tells a text or a number counts. */
export interface Names {
  namespace?: string[];
  session?: string[];
  user?: string[];
  operation?: string[];
  model?: string[];
  provider?: string[];
  tool?: string[];
  callId?: string[];
  agent?: string[];
  agentId?: string[];
  errorType?: string[];
  errorMessage?: string[];
}

/** What was said: any JSON. */
export interface Contents {
  system?: Source[];
  input?: Source[];
  output?: Source[];
  arguments?: Source[];
  result?: Source[];
}

/**
 * What the attributes of those mean who trace in the same way. All dialects are read as one long table, in the order of trust
 * of `dialects/index.ts`: a span may speak several.
 */
export interface Dialect {
  kinds?: KindSource[];
  names?: Names;
  contents?: Contents;
  usage?: Partial<Record<UsageField, string[]>>;
  /** Attributes that hold a `usage` object. */
  usageObjects?: string[];
  firstToken?: FirstToken[];
  /** How the span ended, where OTel's status does not say it. */
  status?: (attributes: Attributes) => StepStatus | undefined;
  /** Log records that tell of a call, by the name of their event, and of its `event.kind` where it has one. */
  events?: Record<string, Meaning>;
  /** Those calls are told by spans as well, as far as the client traces: an event within a sampled span only repeats one. */
  hasSpansOfEvents?: boolean;
}
