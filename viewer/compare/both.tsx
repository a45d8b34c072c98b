import { useMemo } from "preact/hooks";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count } from "../parts/figures.tsx";
import { List, ListFooter } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import type { Run } from "../run/run.ts";
import { type RunReading, useRun } from "../run/use-run.ts";
import { href, replace, route, setQuery } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";
import { type Pair, pairsOf } from "./align.ts";
import { COLUMNS } from "./columns.tsx";
import { Figures } from "./figures.tsx";
import { Texts } from "./texts.tsx";

/** Pixels. */
const ROW = 36;

const CARD = 88;

export function Both({ kind, a, b }: { kind: Run["kind"]; a: string; b: string }) {
  const one = useRun(kind, a);
  const other = useRun(kind, b);
  for (const [id, { first }] of [[a, one] as const, [b, other] as const]) {
    if (first.problem?.status === 404) return <NotThere kind={kind} id={id} />;
  }
  return (
    <>
      {[one, other].map(({ first }, index) => {
        if (!first.problem) return null;
        return (
          <ErrorBox key={`${index}`} problem={first.problem} retryAt={first.retryAt} retry={first.retry} />
        );
      })}
      {one.run && other.run ? (
        <Compared a={one.run} b={other.run} readings={[one, other]} />
      ) : (
        !one.first.problem && !other.first.problem && <p class="quiet">Loading…</p>
      )}
    </>
  );
}

function NotThere({ kind, id }: { kind: Run["kind"]; id: string }) {
  return (
    <Empty title={`This ${kind} is not there`}>
      <p>
        <SafeText text={id} /> does not exist, or belongs to a namespace that this token may not use.
      </p>
      <a href={href([`${kind}s`])}>All {kind}s</a>
    </Empty>
  );
}

function Compared({ a, b, readings }: { a: Run; b: Run; readings: RunReading[] }) {
  const pairs = useMemo(() => pairsOf(a, b), [a, b]);
  const chosenKey = route.value.query.get("pair") ?? "";
  const chosen = pairs.find(({ a, b }) => (a ?? b)?.id === chosenKey);
  const missing = pairs.filter(({ a, b }) => !a || !b).length;
  const idOf = ({ a, b }: Pair) => (a ?? b)?.id ?? "";
  return (
    <>
      <Figures a={a} b={b} />
      <p class="quiet compare-sum" role="status">
        <Count value={pairs.length} /> rows, in <Count value={missing} /> of them a step is missing
      </p>
      <div class="compare-body">
        <List
          name="pairs"
          rows={pairs}
          keyOf={idOf}
          columns={COLUMNS}
          rowHeight={isNarrow.value ? CARD : ROW}
          count={pairs.length}
          open={(pair) => setQuery({ pair: idOf(pair) === chosenKey ? "" : idOf(pair) }, replace)}
          chosen={chosenKey || undefined}
          classOf={(pair) => (idOf(pair) === chosenKey ? "chosen" : "")}
        />
        {chosen && <Texts pair={chosen} />}
      </div>
      {readings.map(({ run, more, isLoadingMore }, index) =>
        run && !run.isComplete ? (
          <ListFooter
            key={run.id}
            unit={`steps of ${index === 0 ? "A" : "B"}`}
            shown={run.steps.length}
            count={run.count}
            hasMore
            isLoading={isLoadingMore}
            more={more}
          />
        ) : null,
      )}
    </>
  );
}
