import { address, type Query } from "../api/client.ts";
import { searchSteps } from "../api/operations.ts";
import { type Pages, usePages } from "../api/pages.ts";
import type { FoundStep } from "../api/types.ts";
import { Badge } from "../parts/badge.tsx";
import { Copy, curlOfPost } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Duration, exactTime, Time } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, inLocalDays, SetFilters } from "../parts/filters.tsx";
import { type Column, List, ListFooter, News } from "../parts/list.tsx";
import { NoData } from "../parts/no-data.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { namespaceFilter, useSuggestions } from "../parts/suggestions.ts";
import { href, push, route } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";

const TYPES: [value: string, label: string][] = [
  ["llm_call", "LLM call"],
  ["tool_call", "Tool call"],
  ["handoff", "Handoff"],
  ["agent", "Agent"],
  ["span", "Span"],
  ["message", "Message"],
  ["log", "Log entry"],
];

const STATUSES: [value: string, label: string][] = [
  ["error", "Failed"],
  ["ok", "Went well"],
  ["not_told", "Not told"],
];

const COLUMNS: Column<FoundStep>[] = [
  { name: "type", title: "Type", cell: ({ type }) => <Badge type={type} /> },
  { name: "time", title: "When", cell: ({ started_at }) => <Time value={started_at} /> },
  { name: "step", title: "Step, session", cell: (step) => <Title step={step} /> },
  { name: "words", title: "What it says", cell: (step) => <Words step={step} /> },
  {
    name: "status",
    title: "Status",
    cell: ({ status }) =>
      status === "error" ? (
        <span class="failed">failed</span>
      ) : (
        <span class="quiet">{status ?? "not told"}</span>
      ),
  },
  {
    name: "duration",
    title: "Took",
    isNumber: true,
    cell: ({ duration_ms }) => duration_ms !== null && <Duration milliseconds={duration_ms} />,
  },
];

/** Pixels; on a narrow screen a row is a card. */
const ROW = 52;
const CARD = 124;

/** `#/search`: steps of all sessions that match, newest first. */
export function Search() {
  const suggestions = useSuggestions(route.value.query.get("namespace") ?? "");
  const filters = filtersOf(suggestions);
  const set = filtersSet(filters);
  const search = searchOf(set);
  const about = JSON.stringify(search);
  const pages = usePages(
    about,
    async (cursor, signal) => {
      const { namespace, query } = search;
      const found = await searchSteps({ namespace, query: { ...query, cursor } }, signal);
      return { rows: found.steps, next: found.next_cursor, until: found.searched_until };
    },
    ({ id }) => id,
  );
  const { rows, first } = pages;
  const isEmptyTenant = suggestions.namespaces?.length === 0;
  const isNothing = rows?.length === 0 && pages.next === undefined;
  return (
    <div class="page page-list">
      <Heading title="Search">
        <News count={pages.news} show={pages.showNews} />
        <Copy text={curlOfPost(address("/steps/query"), search)} label="Copy curl" />
      </Heading>
      <Filters filters={filters} />
      {first.problem && <ErrorBox problem={first.problem} retryAt={first.retryAt} retry={first.retry} />}
      {!rows && !first.problem && <p class="quiet">Searching…</p>}
      {isNothing && isEmptyTenant && <NoData title="Nothing to search yet" what="the step" />}
      {isNothing && !isEmptyTenant && (
        <Empty title="No step matches">
          {!set.start_date && (
            <p>Looked at: the seven days before now, or before “Until”. “From” goes further back.</p>
          )}
          <SetFilters filters={filters} />
        </Empty>
      )}
      {rows && rows.length > 0 && (
        <List
          name="search"
          key={`${route.value.entry} ${about}`}
          rows={rows}
          keyOf={({ id }) => id}
          columns={COLUMNS}
          rowHeight={isNarrow.value ? CARD : ROW}
          count={undefined}
          open={open}
          isBusy={first.isLoading}
        />
      )}
      {rows && (rows.length > 0 || pages.next !== undefined) && <HowFar pages={pages} shown={rows.length} />}
    </div>
  );
}

/** How many there are, and how far back was searched: a search of much text ends before it has seen everything. */
function HowFar({ pages, shown }: { pages: Pages<FoundStep>; shown: number }) {
  const { until, next } = pages;
  return (
    <>
      {pages.moreProblem && <ErrorBox problem={pages.moreProblem} retry={pages.more} />}
      {until && next && (
        <p class="until" role="status">
          {shown === 0 && "Nothing yet. "}Searched back to <time dateTime={until}>{exactTime(until)}</time>.
        </p>
      )}
      <ListFooter
        shown={shown}
        hasMore={next !== undefined}
        moreTitle={until ? "Go on" : undefined}
        isLoading={pages.isLoadingMore}
        more={pages.more}
      />
    </>
  );
}

function filtersOf({
  namespaces,
  agents,
  models,
  tools,
  users,
}: ReturnType<typeof useSuggestions>): Filter[] {
  return [
    { name: "text", label: "Text", type: "search" },
    namespaceFilter(namespaces),
    { name: "type", label: "Type", choices: TYPES },
    { name: "status", label: "Status", choices: STATUSES },
    { name: "agent", label: "Agent", suggestions: agents },
    { name: "model", label: "Model", suggestions: models },
    { name: "tool_name", label: "Tool", suggestions: tools },
    { name: "user_id", label: "User", suggestions: users },
    { name: "session_id", label: "Session" },
    { name: "trace_id", label: "Trace" },
    { name: "min_duration_ms", label: "Took at least, ms", type: "number" },
    { name: "start_date", label: "From", type: "date" },
    { name: "end_date", label: "Until", type: "date" },
  ];
}

/** The search as the API takes it. */
function searchOf(set: Record<string, string>): { namespace?: string; query: Query } {
  const { namespace, min_duration_ms, ...others } = inLocalDays(set);
  const query: Query = { ...others };
  // What is no number is sent as it is: the API says what is wrong with it.
  if (min_duration_ms) query.min_duration_ms = Number(min_duration_ms) || min_duration_ms;
  return { namespace, query };
}

function open(step: FoundStep): void {
  push(...placeOf(step));
}

/** Where a step is shown among its neighbours. What belongs to no session and no trace is a log entry. */
function placeOf({ id, namespace, session_id, trace_id }: FoundStep): Parameters<typeof href> {
  if (session_id) return [["sessions", session_id], { step: id }];
  if (trace_id) return [["traces", trace_id], { step: id }];
  return [["logs"], { namespace, step: id }];
}

function Title({ step }: { step: FoundStep }) {
  const name = [step.agent, step.name].filter(Boolean).join(" · ") || "step";
  return (
    <>
      <a class="line" href={href(...placeOf(step))} tabIndex={-1}>
        <SafeText text={name} />
      </a>
      <span class="line quiet">
        <SafeText text={step.session_id ?? step.namespace} />
      </span>
    </>
  );
}

/** Where the text is, among its neighbours. */
function Words({ step: { match, error, preview } }: { step: FoundStep }) {
  if (!match) return <SafeText text={error ?? preview ?? ""} />;
  const { field, excerpt, at } = match;
  const [from, to] = at;
  return (
    <>
      <SafeText text={excerpt.slice(0, from)} />
      <mark>
        <SafeText text={excerpt.slice(from, to)} />
      </mark>
      <SafeText text={excerpt.slice(to)} /> <span class="quiet">in {field}</span>
    </>
  );
}
