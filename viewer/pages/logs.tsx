import { useEffect } from "preact/hooks";
import { address } from "../api/client.ts";
import { getSteps, queryLogs } from "../api/operations.ts";
import { usePages } from "../api/pages.ts";
import { useResource } from "../api/resource.ts";
import { LEVELS, type LogEntry } from "../api/types.ts";
import { Copy, curlOf, curlOfPost } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { exactTime, Time } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet, inLocalDays, SetFilters } from "../parts/filters.tsx";
import { type Column, List, ListFooter, News } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { namespaceFilter, useSuggestions } from "../parts/suggestions.ts";
import { href, replace, route, setQuery } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";

const COLUMNS: Column<LogEntry>[] = [
  { name: "level", title: "Level", cell: ({ level }) => <span class={`level level-${level}`}>{level}</span> },
  { name: "time", title: "When", cell: ({ timestamp }) => <Time value={timestamp} /> },
  { name: "message", title: "Message", cell: ({ message }) => <SafeText text={message.slice(0, 400)} /> },
  { name: "agent", title: "Agent", cell: ({ agent }) => <SafeText text={agent ?? ""} /> },
  { name: "resource", title: "Resource", cell: ({ resource_id }) => <SafeText text={resource_id ?? ""} /> },
  { name: "session", title: "Session", cell: (entry) => <StepLink entry={entry} tabIndex={-1} /> },
];

/** Pixels; on a narrow screen a row is a card. */
const ROW = 36;
const CARD = 84;

/** `#/logs`: the log entries of a namespace, newest first. */
export function Logs() {
  const given = route.value.query.get("namespace");
  const suggestions = useSuggestions(given ?? "");
  const namespace = given ?? suggestions.namespaces?.[0];
  useEffect(() => {
    if (!given && namespace) setQuery({ namespace }, replace);
  }, [given, namespace]);
  if (given) return <Entries suggestions={suggestions} />;
  return (
    <div class="page">
      <Heading title="Logs" />
      {suggestions.namespaces?.length === 0 ? (
        <Empty title="No logs yet">
          <p>
            Nothing was sent with this token's tenant. <code>POST /logs/upload</code> takes log entries.
          </p>
        </Empty>
      ) : (
        <p class="quiet">Loading…</p>
      )}
    </div>
  );
}

function Entries({ suggestions }: { suggestions: ReturnType<typeof useSuggestions> }) {
  const filters = filtersOf(suggestions);
  const query = inLocalDays(filtersSet(filters));
  const about = JSON.stringify(query);
  const pages = usePages(
    about,
    async (cursor, signal) => {
      const { logs, count, next_cursor } = await queryLogs({ ...query, limit: 100, cursor }, signal);
      return { rows: logs, count, next: next_cursor };
    },
    ({ id }) => id,
  );
  const { rows, first } = pages;
  const chosen = route.value.query.get("step");
  return (
    <div class="page page-list">
      <Heading title="Logs">
        <News count={pages.news} show={pages.showNews} />
        <a href={href(["search"], { type: "log", namespace: query.namespace ?? "" })}>Search their text</a>
        <Copy text={curlOfPost(address("/logs/query"), query)} label="Copy curl" />
      </Heading>
      <Filters filters={filters} />
      {chosen && <Entry key={chosen} id={chosen} />}
      {first.problem && <ErrorBox problem={first.problem} retryAt={first.retryAt} retry={first.retry} />}
      {!rows && !first.problem && <p class="quiet">Loading…</p>}
      {rows?.length === 0 && (
        <Empty title="No log entry matches">
          <SetFilters filters={filters} />
        </Empty>
      )}
      {rows && rows.length > 0 && (
        <>
          <List
            name="logs"
            key={`${route.value.entry} ${about}`}
            rows={rows}
            keyOf={({ id }) => id}
            columns={COLUMNS}
            rowHeight={isNarrow.value ? CARD : ROW}
            count={pages.count}
            open={({ id }) => choose(id)}
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

function filtersOf({ namespaces, agents }: ReturnType<typeof useSuggestions>): Filter[] {
  return [
    namespaceFilter(namespaces, true),
    { name: "level", label: "Level", choices: LEVELS.map((level) => [level, level]) },
    { name: "agent", label: "Agent", suggestions: agents },
    { name: "session_id", label: "Session" },
    { name: "resource_id", label: "Resource" },
    { name: "start_date", label: "From", type: "date" },
    { name: "end_date", label: "Until", type: "date" },
  ];
}

function choose(step: string): void {
  setQuery({ step }, replace);
}

/** The row from which it was opened gets the focus again. */
function close(): void {
  choose("");
  document.querySelector<HTMLElement>(".rows [tabindex='0']")?.focus();
}

/** All of one entry. Escape closes it. */
function Entry({ id }: { id: string }) {
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent) => key === "Escape" && close();
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const { data, problem, retryAt, retry } = useResource(`entry ${id}`, (signal) =>
    getSteps({ ids: id }, signal),
  );
  const entry = data?.steps[0] as LogEntry | undefined;
  return (
    <section class="entry" aria-label="Log entry">
      <div class="entry-actions">
        <Copy text={curlOf(address("/steps", { ids: id }))} label="Copy curl" />
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {problem && <ErrorBox problem={problem} retryAt={retryAt} retry={retry} />}
      {!data && !problem && <p class="quiet">Loading…</p>}
      {data && !entry && <p>This log entry is not there any more.</p>}
      {entry && <WholeEntry entry={entry} />}
    </section>
  );
}

function WholeEntry({ entry }: { entry: LogEntry }) {
  const { level, timestamp, message, resource_id, agent, custom_object } = entry;
  const about = [exactTime(timestamp), agent, resource_id].filter(Boolean).join(" · ");
  return (
    <>
      <p class="quiet">
        <span class={`level level-${level}`}>{level}</span> <SafeText text={about} />{" "}
        <StepLink entry={entry} />
      </p>
      <pre tabIndex={0} role="region" aria-label="Message">
        <SafeText text={message ?? ""} />
      </pre>
      {custom_object !== undefined && (
        <pre tabIndex={0} role="region" aria-label="Data">
          <SafeText text={JSON.stringify(custom_object, null, 2)} />
        </pre>
      )}
    </>
  );
}

/** To where an entry is among the steps of its session, else of its trace. */
function StepLink({ entry, tabIndex }: { entry: LogEntry; tabIndex?: number }) {
  const { id, session_id, trace_id } = entry;
  const place = session_id ? ["sessions", session_id] : trace_id && ["traces", trace_id];
  if (!place) return null;
  return (
    <a href={href([...place], { step: id })} tabIndex={tabIndex}>
      <SafeText text={session_id ?? trace_id ?? ""} />
    </a>
  );
}
