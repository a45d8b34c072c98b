import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { exactTime } from "../parts/figures.tsx";
import { type Column, List } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { useContents } from "../run/contents.ts";
import { agentOf, type Run, type Skeleton } from "../run/run.ts";
import type { ViewProps } from "../run/views.ts";
import { route, setQuery } from "../state/route.ts";

/** Entries whose level is read without being asked for. */
const ENOUGH = 500;
/** Pixels. */
const ROW = 34;

/** `?view=logs`: the log entries of a run, by level. */
export function Logs({ run, choose, matches }: ViewProps) {
  const entries = useMemo(() => logsOf(run), [run]);
  const most = useSignal(ENOUGH);
  const { of, problem } = useContents(entries.slice(0, most.value));
  const level = route.value.query.get("level") ?? "";
  const levelOf = (step: Skeleton) => of(step)?.level;
  const levels = [...new Set(entries.map(levelOf).filter((name) => name !== undefined))].sort();
  if (entries.length === 0) return <Empty title="No log entries here" />;

  const rows = entries
    .filter((step) => level === "" || levelOf(step) === level)
    .filter((step) => !matches || matches.has(step.id));
  const unread = entries.length - most.value;
  const columns: Column<Skeleton>[] = [
    { name: "time", title: "Time", cell: ({ started_at }) => exactTime(started_at) },
    { name: "level", title: "Level", cell: (step) => <Level name={levelOf(step)} /> },
    { name: "agent", title: "Agent", cell: (step) => <SafeText text={agentOf(step)} /> },
    { name: "message", title: "Message", cell: ({ preview }) => <SafeText text={preview ?? ""} /> },
  ];
  return (
    <>
      {problem && <ErrorBox problem={problem} />}
      <p class="logs-head">
        <label>
          Level{" "}
          <select value={level} onChange={({ currentTarget }) => setQuery({ level: currentTarget.value })}>
            <option value="">All</option>
            {level !== "" && !levels.includes(level) && <option value={level}>{level}</option>}
            {levels.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span role="status" class="quiet">
          {rows.length.toLocaleString()} of {entries.length.toLocaleString()} entries
          {level !== "" && unread > 0 && `; of ${unread.toLocaleString()} the level is not read yet`}
        </span>
        {unread > 0 && (
          <button type="button" onClick={() => (most.value += ENOUGH)}>
            Read more levels
          </button>
        )}
      </p>
      <List
        name="logs"
        rows={rows}
        keyOf={({ id }) => id}
        columns={columns}
        rowHeight={ROW}
        count={rows.length}
        open={({ id }) => choose(id)}
      />
    </>
  );
}

function logsOf(run: Run): Skeleton[] {
  return run.steps.filter(({ type }) => type === "log");
}

function Level({ name }: { name: string | undefined }) {
  if (!name) return <span class="quiet">…</span>;
  const isBad = /^(error|fatal|critical)$/i.test(name);
  return <span class={isBad ? "failed" : ""}>{name}</span>;
}
