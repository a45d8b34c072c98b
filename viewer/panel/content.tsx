import type { Message } from "../api/types.ts";
import { lazy } from "../parts/lazy.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { type Format, format } from "../state/preferences.ts";
import { Json } from "./json.tsx";
import { nameOfBase64, nameOfPart, Told, withoutData } from "./told.tsx";

const Markdown = lazy(() => import("./markdown.tsx").then((module) => module.Markdown));

/** Characters. What is longer is shown as text: reading it would stop the page. */
const LONGEST_MARKDOWN = 100_000;

interface Props {
  value: unknown;
  version: number | undefined;
  /** Instead of the one that was chosen. */
  as?: Format;
}

/** Something that was said: a text, parts of a message, or any JSON. */
export function Content({ value, version, as = format.value }: Props) {
  if (value === undefined || value === null) return <p class="quiet">nothing</p>;
  if (as === "json") return <Json value={parsed(value)} version={version} />;
  if (typeof value === "string") return <Text text={value} version={version} as={as} />;
  if (Array.isArray(value) && value.every(isPart)) {
    return (
      <>
        {value.map((part, index) => (
          <Part key={`${index}`} part={part} version={version} as={as} />
        ))}
      </>
    );
  }
  return <Json value={value} version={version} />;
}

function Text({ text, version, as }: { text: string; version: number | undefined; as: Format }) {
  const short = as === "markdown" && !nameOfBase64(text) ? withoutData(text) : undefined;
  if (short !== undefined && short.length <= LONGEST_MARKDOWN) {
    return <Markdown text={short} version={version} />;
  }
  return (
    <div class="told">
      <Told text={text} version={version} />
    </div>
  );
}

function Part({
  part,
  version,
  as,
}: {
  part: Record<string, unknown>;
  version: number | undefined;
  as: Format;
}) {
  const text = part.text ?? (part.type === "text" ? part.content : undefined);
  if (typeof text === "string") return <Text text={text} version={version} as={as} />;
  const media = nameOfPart(part);
  return media ? (
    <p>
      <span class="media">
        <SafeText text={media} />
      </span>
    </p>
  ) : (
    <Json value={part} version={version} open={3} />
  );
}

/** A message: who says it, what, and which tools are called. */
export function MessageBox({ message, version }: { message: Message; version: number | undefined }) {
  const { role, sender, content, tool_calls: calls = [] } = message;
  return (
    <section class={`message message-${roleClass(role)}`}>
      <h4>
        <SafeText text={sender && sender !== role ? `${role} · ${sender}` : role} />
      </h4>
      {(content !== null && content !== undefined && content !== "") || calls.length === 0 ? (
        <Content value={content} version={version} />
      ) : null}
      {role !== "tool" &&
        calls.map((call, index) => <ToolCall key={`${index}`} call={call} version={version} />)}
    </section>
  );
}

function ToolCall({ call, version }: { call: Record<string, unknown>; version: number | undefined }) {
  const told = (typeof call.function === "object" && call.function) || call;
  const { name, arguments: given } = told as Record<string, unknown>;
  return (
    <div class="call">
      <span class="quiet">calls </span>
      <strong>
        <SafeText text={typeof name === "string" ? name : "a tool"} />
      </strong>
      <Json value={parsed(given)} version={version} />
    </div>
  );
}

function roleClass(role: string): string {
  return ["user", "assistant", "system", "tool"].includes(role) ? role : "other";
}

function isPart(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "type" in value;
}

/** Models write the arguments of tools as a text of JSON. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A value in one line. */
export function inOneLine(value: unknown, length = 160): string {
  const text = typeof value === "string" ? value.slice(0, 5 * length) : shortJson(value);
  const media = typeof value === "string" ? nameOfBase64(value) : undefined;
  const line = (media ?? text).replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length)}…` : line;
}

function shortJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  if (Array.isArray(value))
    return value
      .slice(0, 10)
      .map((one) => inOneLine(one, 60))
      .join(", ");
  return Object.entries(value)
    .slice(0, 10)
    .map(([name, member]) => `${name}: ${inOneLine(member, 60)}`)
    .join(", ");
}
