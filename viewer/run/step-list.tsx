import { Badge } from "../parts/badge.tsx";
import { Duration } from "../parts/figures.tsx";
import { type Column, List } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { agentOf, isError, type Skeleton } from "./run.ts";
import type { ViewProps } from "./views.ts";

const COLUMNS: Column<Skeleton>[] = [
  { name: "type", title: "Type", cell: ({ type }) => <Badge type={type} /> },
  { name: "agent", title: "Agent", cell: (step) => <SafeText text={agentOf(step)} /> },
  { name: "name", title: "Name", cell: ({ name }) => <SafeText text={name ?? ""} /> },
  {
    name: "preview",
    title: "Content",
    cell: (step) => (
      <>
        {isError(step) && <span class="failed">failed </span>}
        <SafeText text={step.error ?? step.preview ?? ""} />
      </>
    ),
  },
  {
    name: "duration",
    title: "Duration",
    isNumber: true,
    cell: ({ duration_ms }) => <Duration milliseconds={duration_ms} />,
  },
];

/** Pixels. */
const ROW = 34;

/** Steps, one below the other, in rows of one height. */
export function StepList({ name, run, choose }: ViewProps & { name: string }) {
  return (
    <List
      name={name}
      rows={run.steps}
      keyOf={({ id }) => id}
      columns={COLUMNS}
      rowHeight={ROW}
      count={run.count}
      open={({ id }) => choose(id)}
    />
  );
}
