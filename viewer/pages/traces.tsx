import { address } from "../api/client.ts";
import { getFacets, listNamespaces, listTraces } from "../api/operations.ts";
import { usePages } from "../api/pages.ts";
import { useResource } from "../api/resource.ts";
import type { Trace } from "../api/types.ts";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Time } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, inLocalDays, SetFilters } from "../parts/filters.tsx";
import { type Column, List, ListFooter, News } from "../parts/list.tsx";
import { NoData } from "../parts/no-data.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { href, push, replace, route, setQuery } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";

const COLUMNS: Column<Trace>[] = [
  { name: "pick", title: <span class="unseen">To compare</span>, cell: ({ id }) => <Pick id={id} /> },
  { name: "created", title: "Began", cell: ({ created_at }) => <Time value={created_at} /> },
  {
    name: "trace",
    title: "Trace",
    cell: ({ id }) => (
      <a href={href(["traces", id])} tabIndex={-1}>
        <SafeText text={id} />
      </a>
    ),
  },
  { name: "agent", title: "Agent", cell: ({ agent }) => <SafeText text={agent} /> },
  {
    name: "session",
    title: "Session",
    cell: ({ session_id }) =>
      session_id && (
        <a href={href(["sessions", session_id])} tabIndex={-1}>
          <SafeText text={session_id} />
        </a>
      ),
  },
  {
    name: "namespace",
    title: "Namespace",
    cell: ({ namespace }) => (
      <span class="quiet">
        <SafeText text={namespace} />
      </span>
    ),
  },
  { name: "steps", title: "Steps", isNumber: true, cell: ({ step_count }) => <Count value={step_count} /> },
];

/** Pixels. */
const ROW = 40;
const CARD = 92;
const LIMIT = 50;

/** `#/traces`: the roots of trees, newest first. */
export function Traces() {
  const filters = useFilters();
  const set = inLocalDays(filtersSet(filters));
  const query = { ...set, root_only: "true", limit: LIMIT };
  // The API's cursor of this list is an offset.
  const pages = usePages(
    JSON.stringify(set),
    async (cursor, signal) => {
      const { data, total, offset } = await listTraces({ ...query, offset: Number(cursor ?? 0) }, signal);
      const next = offset + data.length;
      return { rows: data, count: total, next: next < total ? `${next}` : undefined };
    },
    ({ id }) => id,
  );
  const { rows, first } = pages;
  return (
    <div class="page page-list">
      <Heading title="Traces" curl={curlOf(address("/traces", query))}>
        <News count={pages.news} show={pages.showNews} />
        <ComparePicked />
      </Heading>
      <Filters filters={filters} />
      {first.problem && <ErrorBox problem={first.problem} retryAt={first.retryAt} retry={first.retry} />}
      {!rows && !first.problem && <p class="quiet">Loading…</p>}
      {rows?.length === 0 && Object.keys(set).length === 0 && (
        <NoData title="No traces yet" what="the trace" />
      )}
      {rows?.length === 0 && Object.keys(set).length > 0 && (
        <Empty title="No trace matches">
          <SetFilters filters={filters} />
        </Empty>
      )}
      {rows && rows.length > 0 && (
        <>
          <List
            name="traces"
            key={`${route.value.entry} ${JSON.stringify(set)}`}
            rows={rows}
            keyOf={({ id }) => id}
            columns={COLUMNS}
            rowHeight={isNarrow.value ? CARD : ROW}
            count={pages.count}
            open={({ id }) => push(["traces", id])}
            isBusy={first.isLoading}
          />
          {pages.moreProblem && <ErrorBox problem={pages.moreProblem} retry={pages.more} />}
          <ListFooter
            shown={rows.length}
            count={pages.count}
            hasMore={pages.next !== undefined}
            isLoading={pages.isLoadingMore}
            more={pages.more}
          />
        </>
      )}
    </div>
  );
}

function useFilters(): Filter[] {
  const namespace = route.value.query.get("project_id") ?? "";
  const namespaces = useResource("namespaces", listNamespaces).data?.namespaces ?? [];
  const facets = useResource(`facets ${namespace}`, (signal) => getFacets({ namespace }, signal)).data;
  return [
    {
      name: "project_id",
      label: "Namespace",
      choices: namespaces.map(({ namespace }) => [namespace, namespace]),
    },
    { name: "agent", label: "Agent", suggestions: facets?.agents.map(({ value }) => value) },
    { name: "session_id", label: "Session" },
    { name: "start_date", label: "From", type: "date" },
    { name: "end_date", label: "Until", type: "date" },
  ];
}

/** The traces that are ticked, in the order in which they were: two are compared. */
function picked(): string[] {
  const { query } = route.value;
  return [query.get("a") ?? "", query.get("b") ?? ""].filter(Boolean);
}

function Pick({ id }: { id: string }) {
  const ticked = picked();
  const isTicked = ticked.includes(id);
  const toggle = () => {
    const [a = "", b = ""] = isTicked ? ticked.filter((other) => other !== id) : [...ticked, id];
    setQuery({ a, b }, replace);
  };
  return (
    <label class="pick">
      <span class="unseen">Compare {id}</span>
      <input
        type="checkbox"
        checked={isTicked}
        disabled={!isTicked && ticked.length === 2}
        onChange={toggle}
      />
    </label>
  );
}

function ComparePicked() {
  const [a, b] = picked();
  if (!a) return null;
  if (!b) return <span class="quiet">Tick a second trace to compare</span>;
  return <a href={href(["compare"], { a, b })}>Compare these two</a>;
}
