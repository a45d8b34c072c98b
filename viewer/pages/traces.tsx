import { address } from "../api/client.ts";
import { listTraces } from "../api/operations.ts";
import { usePages } from "../api/pages.ts";
import type { Trace } from "../api/types.ts";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Time } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, SetFilters } from "../parts/filters.tsx";
import { type Column, List, ListFooter, News } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { href, push, route } from "../state/route.ts";

const COLUMNS: Column<Trace>[] = [
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
  { name: "steps", title: "Steps", isNumber: true, cell: ({ step_count }) => <Count value={step_count} /> },
];

const FILTERS: Filter[] = [
  { name: "agent", label: "Agent" },
  { name: "session_id", label: "Session" },
  { name: "start_date", label: "From", type: "date" },
  { name: "end_date", label: "Until", type: "date" },
];

/** Pixels. */
const ROW = 40;
const LIMIT = 50;

/** `#/traces`: the roots of trees, newest first. */
export function Traces() {
  const set = filtersSet(FILTERS);
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
      </Heading>
      <Filters filters={FILTERS} />
      {first.problem && <ErrorBox problem={first.problem} retryAt={first.retryAt} retry={first.retry} />}
      {!rows && !first.problem && <p class="quiet">Loading…</p>}
      {rows?.length === 0 && (
        <Empty title="No trace matches">
          <SetFilters filters={FILTERS} />
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
            rowHeight={ROW}
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
