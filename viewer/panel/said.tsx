import type { ComponentChildren } from "preact";
import type { Message, WholeStep } from "../api/types.ts";
import { SafeText } from "../parts/safe-text.tsx";
import { listOf, messagesOfCall } from "../run/messages.ts";
import type { Skeleton } from "../run/run.ts";
import { format } from "../state/preferences.ts";
import { href } from "../state/route.ts";
import { Content, MessageBox, parsed } from "./content.tsx";
import { Fold } from "./fold.tsx";
import { Json } from "./json.tsx";

interface Props {
  step: Skeleton;
  whole: WholeStep;
  /** The same agent's call before this one. */
  previous: WholeStep | undefined;
}

/** What was said in a step, as its type has it. */
export function Said({ step, whole, previous }: Props) {
  const { anonymization_version: version } = whole;
  return (
    <>
      {(whole.error || step.error) && (
        <Part title="Error">
          <div class="failure">
            <Content
              value={[whole.error?.type, whole.error?.message ?? step.error].filter(Boolean).join(": ")}
              version={version}
              as="text"
            />
          </div>
        </Part>
      )}
      <ByType step={step} whole={whole} previous={previous} />
    </>
  );
}

function ByType({ step, whole, previous }: Props) {
  const { anonymization_version: version } = whole;
  switch (step.type) {
    case "llm_call":
      return <Call whole={whole} previous={previous} />;
    case "tool_call":
      return (
        <>
          <Part title="Arguments">
            <Structured value={whole.arguments} version={version} />
          </Part>
          <Part title="Result">
            <Structured value={whole.result} version={version} />
          </Part>
        </>
      );
    case "handoff":
      return <Handoff step={step} whole={whole} />;
    case "log":
      return (
        <>
          <Part title={`Message (${whole.level ?? "no level"})`}>
            <Content value={whole.message} version={version} />
          </Part>
          {whole.custom_object !== undefined && (
            <Part title="Data">
              <Json value={whole.custom_object} version={version} />
            </Part>
          )}
        </>
      );
    case "message":
      return (
        <Part title="Messages">
          <Messages list={listOf(whole.msg)} version={version} />
        </Part>
      );
    default:
      return (
        <>
          {whole.input !== undefined && (
            <Part title="Input">
              <Content value={whole.input} version={version} />
            </Part>
          )}
          {whole.output !== undefined && (
            <Part title="Output">
              <Content value={whole.output} version={version} />
            </Part>
          )}
        </>
      );
  }
}

function Call({ whole, previous }: { whole: WholeStep; previous: WholeStep | undefined }) {
  const { anonymization_version: version } = whole;
  const { earlier, asked, answered } = messagesOfCall(whole, previous);
  const tools = toolsOf(whole.input);
  if (format.value === "json") {
    return (
      <>
        <Part title="Input">
          <Json value={whole.input} version={version} />
        </Part>
        <Part title="Output">
          <Json value={whole.output} version={version} />
        </Part>
      </>
    );
  }
  return (
    <>
      <Part title={earlier.length > 0 ? "New since this agent's previous call" : "Asked"}>
        {earlier.length > 0 && (
          <Fold title={`${earlier.length} earlier`}>
            <Messages list={earlier} version={version} />
          </Fold>
        )}
        <Messages list={asked} version={version} />
      </Part>
      {tools.length > 0 && (
        <Fold title={`${tools.length} ${tools.length === 1 ? "tool" : "tools"} offered`}>
          <Json value={tools} version={version} open={1} />
        </Fold>
      )}
      <Part title="Output">
        <Messages list={answered} version={version} />
      </Part>
    </>
  );
}

function Messages({ list, version }: { list: Message[]; version: number | undefined }) {
  if (list.length === 0) return <p class="quiet">nothing</p>;
  return (
    <>
      {list.map((message, index) => (
        <MessageBox key={`${index}`} message={message} version={version} />
      ))}
    </>
  );
}

function Handoff({ step, whole }: { step: Skeleton; whole: WholeStep }) {
  const [transfer] = whole.transfers ?? [];
  return (
    <Part title="Handoff">
      <p>
        <SafeText text={transfer?.from ?? step.agent ?? "an agent"} /> hands over to{" "}
        <strong>
          <SafeText text={transfer?.to ?? step.name ?? "an agent"} />
        </strong>
        {transfer?.reason && (
          <>
            : <SafeText text={transfer.reason} />
          </>
        )}
      </p>
      {step.to_trace_id ? (
        <a href={href(["traces", step.to_trace_id])}>The trace that it led to</a>
      ) : (
        <p class="quiet">Which trace it led to is not known.</p>
      )}
    </Part>
  );
}

/** Arguments and results are data, and a text only where they are nothing else. */
function Structured({ value, version }: { value: unknown; version: number | undefined }) {
  const data = parsed(value);
  if (typeof data === "string" || data === undefined) return <Content value={data} version={version} />;
  return <Json value={data} version={version} />;
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function toolsOf(input: unknown): unknown[] {
  if (typeof input !== "object" || input === null) return [];
  const { tools, functions } = input as Record<string, unknown>;
  return [tools, functions].find(Array.isArray) ?? [];
}
