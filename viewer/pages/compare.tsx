import { useMemo } from "preact/hooks";
import { address } from "../api/client.ts";
import { listSessions, listTraces } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import { type Pair, pairsOf } from "../compare/align.ts";
import { saidIn } from "../compare/said.ts";
import { Badge } from "../parts/badge.tsx";
import { Copy, curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Duration, Money, Time, Tokens } from "../parts/figures.tsx";
import { lazy } from "../parts/lazy.tsx";
import { type Column, List, ListFooter } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { useContents } from "../run/contents.ts";
import { agentOf, figuresOf, isError, type Run, type Skeleton } from "../run/run.ts";
import { type RunReading, useRun } from "../run/use-run.ts";
import { href, replace, route, setQuery } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";
import { timeOf } from "../tree/time.ts";

const TextDiff = lazy(() => import("../compare/text-diff.tsx").then((part) => part.TextDiff));

type Kind = Run["kind"];

/** Pixels. */
const ROW = 36;
const CARD = 88;
const LATEST = { limit: 20 };

/** `#/compare?a=&b=`: two traces, or with `kind=session` two sessions, side by side. */
export function Compare() {
  const { query } = route.value;
  const kind: Kind = query.get("kind") === "session" ? "session" : "trace";
  const a = query.get("a") ?? "";
  const b = query.get("b") ?? "";
  return (
    <div class="page page-compare">
      <Heading title="Compare" curl={a && b ? undefined : curlOf(latestAddress(kind))}>
        {a && b && (
          <>
            <Copy text={curlOf(stepsAddress(kind, a))} label="Copy curl of A" />
            <Copy text={curlOf(stepsAddress(kind, b))} label="Copy curl of B" />
          </>
        )}
      </Heading>
      {a && b ? (
        <Both key={`${kind} ${a} ${b}`} kind={kind} a={a} b={b} />
      ) : (
        <Choose kind={kind} known={a || b} missing={a ? "b" : "a"} />
      )}
    </div>
  );
}

function stepsAddress(kind: Kind, id: string): string {
  if (kind === "session") return address(`/sessions/${encodeURIComponent(id)}/steps`, { limit: 5000 });
  return address(`/traces/${encodeURIComponent(id)}/steps`, { scope: "tree", limit: 5000 });
}

function latestAddress(kind: Kind): string {
  return kind === "session"
    ? address("/sessions", LATEST)
    : address("/traces", { ...LATEST, root_only: "true" });
}

/** What there is to compare with: the latest, and a field for any other. */
function Choose({ kind, known, missing }: { kind: Kind; known: string; missing: "a" | "b" }) {
  const latest = useResource(`latest ${kind}`, async (signal) => {
    if (kind === "session") {
      const { sessions } = await listSessions(LATEST, signal);
      return sessions.map(({ session_id, last_activity_at, agents }) => {
        return { id: session_id, at: last_activity_at, of: agents.join(", ") };
      });
    }
    const { data } = await listTraces({ ...LATEST, root_only: "true" }, signal);
    return data.map(({ id, created_at, agent }) => ({ id, at: created_at, of: agent }));
  });
  const others = latest.data?.filter(({ id }) => id !== known) ?? [];
  const choose = (id: string) => id && setQuery({ [missing]: id });
  return (
    <section class="choose">
      <p>
        Compare {known ? <SafeText text={known} /> : "two"} with which {kind}?
      </p>
      <label class="field">
        <span>Its id</span>
        <input
          autocomplete="off"
          spellcheck={false}
          onKeyDown={(event) => event.key === "Enter" && choose(event.currentTarget.value.trim())}
          onChange={(event) => choose(event.currentTarget.value.trim())}
        />
      </label>
      {latest.problem && <ErrorBox problem={latest.problem} retryAt={latest.retryAt} retry={latest.retry} />}
      {others.length > 0 && <h2>The latest {others.length}</h2>}
      <ul class="steps">
        {others.map(({ id, at, of }) => (
          <li key={id}>
            <Time value={at} />
            <a href={href(["compare"], { ...Object.fromEntries(route.value.query), [missing]: id })}>
              <SafeText text={id} />
            </a>
            <span class="line quiet">
              <SafeText text={of} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Both({ kind, a, b }: { kind: Kind; a: string; b: string }) {
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

function NotThere({ kind, id }: { kind: Kind; id: string }) {
  return (
    <Empty title={`This ${kind} is not there`}>
      <p>
        <SafeText text={id} /> does not exist, or belongs to a namespace that this token may not use.
      </p>
      <a href={href([`${kind}s`])}>All {kind}s</a>
    </Empty>
  );
}

const COLUMNS: Column<Pair>[] = [
  {
    name: "step",
    title: "Step",
    cell: ({ a, b }) => {
      const step = (a ?? b) as Skeleton;
      return (
        <span class="outline-name">
          <Badge type={step.type} />
          <span class="line">
            <SafeText text={[agentOf(step), step.name].filter(Boolean).join(" · ")} />
          </span>
        </span>
      );
    },
  },
  { name: "a", title: "A", cell: ({ a }) => <Side step={a} name="A" /> },
  { name: "b", title: "B", cell: ({ b }) => <Side step={b} name="B" /> },
];

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

function Side({ step, name }: { step: Skeleton | undefined; name: string }) {
  if (!step) {
    return (
      <span class="failed">
        <span class="unseen">{name}: </span>missing
      </span>
    );
  }
  const { duration_ms, input_tokens, output_tokens } = step;
  return (
    <span class="side">
      <span class="unseen">{name}: </span>
      {isError(step) && <span class="failed">failed</span>}
      {duration_ms === null ? (
        <span class="quiet">not told</span>
      ) : (
        <span>
          <Duration milliseconds={duration_ms} />
        </span>
      )}
      {(input_tokens !== null || output_tokens !== null) && (
        <Tokens input={input_tokens} output={output_tokens} />
      )}
      <span class="line quiet">
        <SafeText text={step.error ?? step.preview ?? ""} />
      </span>
    </span>
  );
}

function Figures({ a, b }: { a: Run; b: Run }) {
  const sides = useMemo(() => [sumsOf(a), sumsOf(b)], [a, b]);
  const place = (run: Run) => href([`${run.kind}s`, run.id]);
  return (
    <section class="wide" tabIndex={0} aria-label="Figures side by side">
      <table>
        <thead>
          <tr>
            {["", "Traces", "Steps", "Errors", "Tokens in → out", "Cost", "Time"].map((title) => (
              <th key={title} scope="col" class={title ? "number" : ""}>
                {title || <span class="unseen">Which</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sides.map(({ run, figures, milliseconds }, index) => (
            <tr key={`${index}`}>
              <th scope="row">
                {index === 0 ? "A " : "B "}
                <a href={place(run)}>
                  <SafeText text={run.id} />
                </a>
              </th>
              <td class="number">
                <Count value={run.traces.length} />
              </td>
              <td class="number">
                <Count value={figures.steps} />
              </td>
              <td class={`number${figures.errors ? " failed" : ""}`}>
                <Count value={figures.errors} />
              </td>
              <td class="number">
                <Tokens input={figures.inputTokens} output={figures.outputTokens} />
              </td>
              <td class="number">
                <Money value={figures.cost} />
              </td>
              <td class="number">
                <Duration milliseconds={milliseconds} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function sumsOf(run: Run) {
  return { run, figures: figuresOf(run.steps), milliseconds: timeOf(run.steps) };
}

/** What was said in both steps of a pair, as a diff. */
function Texts({ pair: { a, b } }: { pair: Pair }) {
  const steps = [a, b].filter((step) => step !== undefined);
  const contents = useContents(steps);
  const isThere = steps.every((step) => step.bytes === 0 || contents.of(step));
  const wholes = [a, b].map((step) => step && contents.of(step));
  const isCut = wholes.some((step) => step?.truncated);
  return (
    <section class="compare-texts" aria-label="What was said">
      <div class="tools">
        <h2>What was said</h2>
        <Copy
          text={curlOf(address("/steps", { ids: steps.map(({ id }) => id).join(",") }))}
          label="Copy curl"
        />
        <button type="button" onClick={() => setQuery({ pair: "" }, replace)}>
          Close
        </button>
      </div>
      {contents.problem && <ErrorBox problem={contents.problem} />}
      {isCut && <p>What is larger than 64 KiB is left out here: the step itself shows all of it.</p>}
      {!isThere && !contents.problem && <p class="quiet">Loading…</p>}
      {isThere && <TextDiff a={saidIn(wholes[0])} b={saidIn(wholes[1])} />}
    </section>
  );
}
