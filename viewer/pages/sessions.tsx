import { address } from "../api/client.ts";
import { listSessions } from "../api/operations.ts";
import { usePages } from "../api/pages.ts";
import type { Session } from "../api/types.ts";
import { Live } from "../parts/badge.tsx";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Duration, Money, Time, Tokens } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, inLocalDays, SetFilters } from "../parts/filters.tsx";
import { type Column, List, ListFooter, News } from "../parts/list.tsx";
import { NoData } from "../parts/no-data.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { namespaceFilter, useSuggestions } from "../parts/suggestions.ts";
import { hiddenColumns } from "../state/columns.ts";
import { href, push, route } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";

export const COLUMNS: Column<Session>[] = [
  {
    name: "activity",
    width: "104px",
    title: "Activity",
    cell: ({ last_activity_at, active }) => (
      <>
        <Time value={last_activity_at} />
        {active && <Live />}
      </>
    ),
  },
  {
    name: "session",
    width: "minmax(130px, 1.3fr)",
    title: "Session, user",
    cell: ({ session_id, user_id, namespace }) => (
      <>
        <a class="line" href={href(["sessions", session_id])} tabIndex={-1}>
          <SafeText text={session_id} />
        </a>
        <span class="line quiet">
          <SafeText text={user_id ? `${user_id} · ${namespace}` : namespace} />
        </span>
      </>
    ),
  },
  {
    name: "agents",
    width: "minmax(90px, 1fr)",
    title: "Agents, models",
    cell: ({ agents, models }) => (
      <>
        <span class="line">
          <SafeText text={agents.join(", ")} />
        </span>
        <span class="line quiet">
          <SafeText text={models.join(", ")} />
        </span>
      </>
    ),
  },
  {
    name: "messages",
    width: "minmax(160px, 2.4fr)",
    title: "First and last message",
    cell: ({ first_message, last_message }) => (
      <>
        <span class="line">
          <SafeText text={first_message ?? ""} />
        </span>
        <span class="line quiet">
          <SafeText text={last_message ?? ""} />
        </span>
      </>
    ),
  },
  {
    name: "steps",
    width: "46px",
    title: "Steps",
    isNumber: true,
    cell: ({ step_count }) => <Count value={step_count} />,
  },
  {
    name: "errors",
    width: "46px",
    title: "Errors",
    isNumber: true,
    cell: ({ error_count }) => (
      <span class={error_count > 0 ? "failed" : "quiet"}>
        <Count value={error_count} />
      </span>
    ),
  },
  {
    name: "tokens",
    width: "120px",
    title: "Tokens in → out",
    isNumber: true,
    cell: ({ input_tokens, output_tokens }) => <Tokens input={input_tokens} output={output_tokens} />,
  },
  { name: "cost", width: "88px", title: "Cost", isNumber: true, cell: ({ cost }) => <Money value={cost} /> },
  {
    name: "duration",
    width: "84px",
    title: "Duration",
    isNumber: true,
    cell: ({ duration_ms }) => <Duration milliseconds={duration_ms} />,
  },
];

/** Pixels; on a narrow screen a row is a card. */
const ROW = 56;
const CARD = 148;

const keyOf = ({ namespace, session_id }: Session) => JSON.stringify([namespace, session_id]);

/** `#/sessions`: the latest activity first. */
export function Sessions() {
  const filters = useFilters();
  const set = inLocalDays(filtersSet(filters));
  const pages = usePages(
    JSON.stringify(set),
    async (cursor, signal) => {
      const list = await listSessions({ ...set, cursor }, signal);
      return {
        rows: list.sessions,
        count: list.count,
        isAtLeast: list.count_is_at_least,
        next: list.next_cursor,
      };
    },
    keyOf,
  );
  const { rows, first } = pages;
  const isEmpty = rows?.length === 0;
  return (
    <div class="page page-list">
      <Heading title="Sessions" curl={curlOf(address("/sessions", set))}>
        <News count={pages.news} show={pages.showNews} />
      </Heading>
      <Filters filters={filters} />
      {first.problem && <ErrorBox problem={first.problem} retryAt={first.retryAt} retry={first.retry} />}
      {!rows && !first.problem && <p class="quiet">Loading…</p>}
      {isEmpty && Object.keys(set).length > 0 && (
        <Empty title="No session matches">
          <SetFilters filters={filters} />
        </Empty>
      )}
      {isEmpty && Object.keys(set).length === 0 && <NoData title="No sessions yet" what="the session" />}
      {rows && !isEmpty && (
        <>
          <List
            name="sessions"
            key={`${route.value.entry} ${JSON.stringify(set)}`}
            rows={rows}
            keyOf={keyOf}
            columns={COLUMNS.filter(({ name }) => !hiddenColumns.value.includes(name))}
            rowHeight={isNarrow.value ? CARD : ROW}
            count={pages.isAtLeast ? undefined : pages.count}
            open={({ session_id }) => push(["sessions", session_id])}
            isBusy={first.isLoading}
          />
          {pages.moreProblem && <ErrorBox problem={pages.moreProblem} retry={pages.more} />}
          <ListFooter
            shown={rows.length}
            count={pages.count}
            isAtLeast={pages.isAtLeast}
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
  const namespace = route.value.query.get("namespace") ?? "";
  const { namespaces, agents, models, users } = useSuggestions(namespace);
  return [
    namespaceFilter(namespaces),
    { name: "user_id", label: "User", suggestions: users },
    { name: "agent", label: "Agent", suggestions: agents },
    { name: "model", label: "Model", suggestions: models },
    {
      name: "status",
      label: "Status",
      choices: [
        ["error", "With errors"],
        ["ok", "Without errors"],
      ],
    },
    { name: "start_date", label: "From", type: "date" },
    { name: "end_date", label: "Until", type: "date" },
    { name: "text", label: "Text", type: "search" },
  ];
}
