import { searchSteps } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { FoundStep } from "../api/types.ts";
import { Badge } from "../parts/badge.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Time } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, SetFilters } from "../parts/filters.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { href } from "../state/route.ts";

const FILTERS: Filter[] = [
  { name: "text", label: "Text", type: "search" },
  { name: "agent", label: "Agent" },
  { name: "model", label: "Model" },
  { name: "tool_name", label: "Tool" },
  {
    name: "status",
    label: "Status",
    choices: [
      ["error", "Failed"],
      ["ok", "Went well"],
      ["not_told", "Not told"],
    ],
  },
  { name: "start_date", label: "From", type: "date" },
  { name: "end_date", label: "Until", type: "date" },
];

/** `#/search`: steps of all sessions that match, newest first. */
export function Search() {
  const set = filtersSet(FILTERS);
  const about = JSON.stringify(set);
  const found = useResource(about, (signal) => searchSteps(undefined, set, signal));
  const steps = found.data?.steps;
  return (
    <div class="page">
      <Heading title="Search" />
      <Filters filters={FILTERS} />
      {found.problem && <ErrorBox problem={found.problem} retryAt={found.retryAt} retry={found.retry} />}
      {!steps && !found.problem && <p class="quiet">Searching…</p>}
      {steps?.length === 0 && (
        <Empty title="No step matches">
          <p>Looked at: the last seven days, unless there is a “From”.</p>
          <SetFilters filters={FILTERS} />
        </Empty>
      )}
      <ol class="steps" aria-busy={found.isLoading}>
        {steps?.map((step) => (
          <Found key={step.id} step={step} />
        ))}
      </ol>
      {found.data?.next_cursor && <p class="quiet">There are more. Filters lead to them.</p>}
    </div>
  );
}

function Found({ step }: { step: FoundStep }) {
  const name = [step.agent, step.name].filter(Boolean).join(" · ") || "step";
  return (
    <li>
      <Badge type={step.type} />
      <Time value={step.started_at} />
      {step.session_id ? (
        <a href={href(["sessions", step.session_id], { step: step.id })}>
          <SafeText text={name} />
        </a>
      ) : (
        <SafeText text={name} />
      )}
      {step.status === "error" && <span class="failed">failed</span>}
      <span class="line quiet">
        <Words step={step} />
      </span>
    </li>
  );
}

/** Where the text is, among its neighbours. */
function Words({ step: { match, error, preview } }: { step: FoundStep }) {
  if (!match) return <SafeText text={error ?? preview ?? ""} />;
  const { excerpt, at } = match;
  const [from, to] = at;
  return (
    <>
      <SafeText text={excerpt.slice(0, from)} />
      <mark>
        <SafeText text={excerpt.slice(from, to)} />
      </mark>
      <SafeText text={excerpt.slice(to)} />
    </>
  );
}
