import type { Message, WholeStep } from "../api/types.ts";
import { inOneLine } from "../panel/content.tsx";
import { nameOfPart, Told } from "../panel/told.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { listOf, messagesOfCall, notIn } from "../run/messages.ts";
import type { Skeleton } from "../run/run.ts";

/** Characters of a message that are shown; the panel has them all. */
const LONGEST = 1_500;

interface MessagesProps {
  step: Skeleton;
  whole: WholeStep | undefined;
  previous: WholeStep | undefined;
  /** Where this is its agent's first call, the other agent's one before it. */
  other: WholeStep | undefined;
}

/** What is new in a call: what tools gave is in their own rows. Until it is read, its preview. */
export function Messages({ step, whole, previous, other }: MessagesProps) {
  if (step.bytes === 0) return null;
  if (!whole) {
    return (
      <p class="said quiet">
        <SafeText text={step.preview ?? ""} />
      </p>
    );
  }
  const version = whole.anonymization_version;
  if (step.type === "message") {
    return listOf(whole.msg).map((message, index) => (
      <Said key={`${index}`} message={message} version={version} />
    ));
  }
  const { earlier, asked, answered } = messagesOfCall(whole, previous);
  const wanted = asked.filter(({ role }) => role === "user" || (role === "system" && earlier.length === 0));
  const told = notIn(wanted, other);
  return (
    <>
      {whole.truncated && (
        <p class="said quiet">{(whole.left_out ?? []).join(", ")}: too large, open it to see all</p>
      )}
      {[...told, ...answered].map((message, index) => (
        <Said key={`${index}`} message={message} version={version} />
      ))}
    </>
  );
}

function Said({ message, version }: { message: Message; version: number | undefined }) {
  const text = textOf(message.content);
  const calls = message.role === "tool" ? [] : (message.tool_calls ?? []);
  if (text === "" && calls.length > 0) return null;
  return (
    <div class={`said said-${classOf(message.role)}`}>
      <span class="role">
        <SafeText text={message.role} />
      </span>
      <div class="told">
        <Told text={text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text} version={version} />
      </div>
    </div>
  );
}

function classOf(role: string): string {
  return ["user", "assistant", "system"].includes(role) ? role : "other";
}

/** The texts of a message; of its other parts what they are. */
function textOf(content: unknown): string {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return inOneLine(content, LONGEST);
  return content
    .map((part) => {
      if (typeof part?.text === "string") return part.text;
      if (part?.type === "text" && typeof part.content === "string") return part.content;
      return `[${(isObject(part) && nameOfPart(part)) || inOneLine(part, 100)}]`;
    })
    .join("\n");
}

function isObject(part: unknown): part is Record<string, unknown> {
  return typeof part === "object" && part !== null;
}
