import { useEffect, useMemo } from "preact/hooks";
import { address } from "../api/client.ts";
import { getUsage } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { Usage as UsageAnswer, UsageFigures } from "../api/types.ts";
import { Copy, curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, exactTime, Money, Tokens } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, SetFilters } from "../parts/filters.tsx";
import { Heading } from "../parts/shell.tsx";
import { namespaceFilter, useSuggestions } from "../parts/suggestions.ts";
import { replace, route, setQuery } from "../state/route.ts";
import { Bars } from "../usage/bars.tsx";
import { usageCsv } from "../usage/csv.ts";
import {
  DIMENSIONS,
  type Dimension,
  isTime,
  latencyText,
  METRICS,
  metricNamed,
} from "../usage/dimensions.ts";
import { UsageTable } from "../usage/table.tsx";

/** `#/usage`: what was used, by time or by whom, with its totals, as bars and as a table of the same numbers. */
export function Usage() {
  const filters = useFilters();
  const zone = route.value.query.get("time_zone");
  useEffect(() => {
    if (!zone) setQuery({ time_zone: browserZone() }, replace);
  }, [zone]);
  const { by: first, and: second, time_zone, ...set } = filtersSet(filters);
  const by = dimensionsOf(first, second);
  const query = { ...set, by: by.join(","), time_zone: time_zone ?? browserZone() };
  const usage = useResource(JSON.stringify(query), async (signal) => ({
    answer: await getUsage(query, signal),
    by,
    zone: query.time_zone,
  }));
  const { data, problem, retryAt, retry, isLoading } = usage;
  return (
    <div class="page">
      <Heading title="Usage" curl={curlOf(address("/usage", query))} />
      <Filters filters={filters} />
      {problem && <ErrorBox problem={problem} retryAt={retryAt} retry={retry} />}
      {!data && !problem && <p class="quiet">Loading…</p>}
      {data && (
        <div class="usage" aria-busy={isLoading}>
          <Answer answer={data.answer} by={data.by} zone={data.zone} filters={filters} />
        </div>
      )}
    </div>
  );
}

interface AnswerProps {
  answer: UsageAnswer;
  by: Dimension[];
  zone: string;
  filters: Filter[];
}

function Answer({ answer, by, zone, filters }: AnswerProps) {
  const csv = useMemo(() => usageCsv(answer.rows, by), [answer]);
  const { rows, totals, start_date, end_date } = answer;
  const span = `${exactTime(start_date, zone)} until ${end_date ? exactTime(end_date, zone) : "now"}`;
  if (rows.length === 0) {
    return (
      <Empty title="Nothing was used">
        <p>
          Looked at: {span} ({zone}).
        </p>
        <SetFilters filters={filters} />
      </Empty>
    );
  }
  return (
    <>
      <Totals totals={totals} />
      <p class="quiet">
        {span} ({zone}).
      </p>
      <Metrics />
      <Bars answer={answer} by={by} metric={metricNamed(route.value.query.get("show"))} zone={zone} />
      <div class="table-actions">
        <Copy text={csv} label="Copy CSV" />
      </div>
      <UsageTable rows={rows} totals={totals} by={by} zone={zone} />
    </>
  );
}

/** What the bars show. */
function Metrics() {
  const shown = metricNamed(route.value.query.get("show"));
  return (
    <fieldset class="choices">
      <legend class="unseen">Bars show</legend>
      {METRICS.map((metric) => (
        <label key={metric.name}>
          <input
            type="radio"
            name="show"
            checked={metric === shown}
            onChange={() => setQuery({ show: metric.name }, replace)}
          />
          {metric.title}
        </label>
      ))}
    </fieldset>
  );
}

function Totals({ totals }: { totals: UsageFigures }) {
  return (
    <dl class="figures totals">
      <dt>Calls</dt>
      <dd>
        <Count value={totals.calls} />
      </dd>
      <dt>Tool calls</dt>
      <dd>
        <Count value={totals.tool_calls} />
      </dd>
      <dt>Errors</dt>
      <dd class={totals.errors ? "failed" : ""}>
        <Count value={totals.errors} />
      </dd>
      <dt>Tokens in → out</dt>
      <dd>
        <Tokens input={totals.input_tokens} output={totals.output_tokens} />
      </dd>
      <dt>Cost</dt>
      <dd>
        <Money value={totals.cost} isInWords />
      </dd>
      <dt>p50</dt>
      <dd>{latencyText(totals.latency_ms.p50)}</dd>
      <dt>p95</dt>
      <dd>{latencyText(totals.latency_ms.p95)}</dd>
    </dl>
  );
}

/** By day unless told; a name that the API does not know is sent to it, and it says so. */
function dimensionsOf(first = "day", second?: string): Dimension[] {
  const names = second && second !== first ? [first, second] : [first];
  return names as Dimension[];
}

/** A browser may know no place, or a name that the API refuses. */
function browserZone(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return /^(UTC|GMT)$|\//.test(timeZone) ? timeZone : "UTC";
}

function choicesOf(dimensions: typeof DIMENSIONS): [string, string][] {
  return dimensions.map(({ name, title }) => [name, title]);
}

function useFilters(): Filter[] {
  const namespace = route.value.query.get("namespace") ?? "";
  const { namespaces, agents, models, tools, users } = useSuggestions(namespace);
  return [
    { name: "by", label: "By", choices: choicesOf(DIMENSIONS), isRequired: true },
    { name: "and", label: "And by", choices: choicesOf(DIMENSIONS.filter(({ name }) => !isTime(name))) },
    namespaceFilter(namespaces),
    { name: "agent", label: "Agent", suggestions: agents },
    { name: "model", label: "Model", suggestions: models },
    { name: "tool", label: "Tool", suggestions: tools },
    { name: "user_id", label: "User", suggestions: users },
    { name: "start_date", label: "From", type: "date" },
    { name: "end_date", label: "Until", type: "date" },
    {
      name: "time_zone",
      label: "Time zone",
      suggestions: Intl.supportedValuesOf("timeZone"),
      isRequired: true,
    },
  ];
}
