import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { address } from "../api/client.ts";
import { getSteps, getToken } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { WholeStep } from "../api/types.ts";
import { Badge } from "../parts/badge.tsx";
import { Copy, curlOf } from "../parts/copy.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { agentOf, previousCallOf, type Run, type Skeleton } from "../run/run.ts";
import { FORMATS, format, setFormat } from "../state/preferences.ts";
import { isNarrow } from "../state/screen.ts";
import { Facts } from "./facts.tsx";
import { Fold } from "./fold.tsx";
import { Json } from "./json.tsx";
import { Purge, PurgedSince } from "./purge.tsx";
import { Said } from "./said.tsx";
import { StepScores } from "./scores.tsx";
import { settled } from "./settled.ts";

/** The most that the API gives of one step. */
const ALL = 10_485_760;

interface Props {
  run: Run;
  step: Skeleton;
  close: () => void;
  /** Asks what has changed. */
  refresh: () => Promise<void>;
}

/** What happened in a step: beside the view, or above it where there is no room. */
export function StepPanel({ run, step, close, refresh }: Props) {
  const box = useRef<HTMLElement>(null);
  const token = useResource("token", getToken);
  useEffect(() => {
    if (!isNarrow.value) return;
    box.current?.focus();
  }, [isNarrow.value]);
  return (
    <aside
      class="panel"
      ref={box}
      tabIndex={-1}
      aria-label="Step"
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <header class="panel-head">
        <Badge type={step.type} />
        <h2>
          <SafeText text={step.name ?? agentOf(step)} />
        </h2>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </header>
      <Body
        key={`${step.id} ${step.bytes}`}
        run={run}
        step={step}
        refresh={refresh}
        mayPurge={token.data?.scope === "all"}
      />
    </aside>
  );
}

function Body({ run, step, refresh, mayPurge }: Omit<Props, "close"> & { mayPurge: boolean }) {
  const isAll = useSignal(false);
  const previous = step.type === "llm_call" ? previousCallOf(run, step) : undefined;
  const { data, problem, retryAt, retry } = useResource(`step ${step.id} ${isAll.value}`, async (signal) => {
    await settled(signal);
    if (isAll.value) {
      const [whole, before] = await Promise.all([
        getSteps({ ids: step.id, max_bytes: ALL }, signal),
        previous && getSteps({ ids: previous.id, max_bytes: ALL }, signal),
      ]);
      return [...whole.steps, ...(before?.steps ?? [])];
    }
    const ids = [step.id, previous?.id].filter(Boolean).join(",");
    return (await getSteps({ ids }, signal)).steps;
  });
  const whole = data?.find(({ id }) => id === step.id);
  const before = data?.find(({ id }) => id === previous?.id);
  const curl = curlOf(address("/steps", { ids: step.id, max_bytes: isAll.value ? ALL : undefined }));
  return (
    <>
      <p class="panel-actions">
        <Copy text={location.href} label="Copy link" />
        {whole && <Copy text={JSON.stringify(whole, null, 2)} label="Copy JSON" />}
        <Copy text={curl} label="Copy curl" />
      </p>
      <Facts step={step} whole={whole} />
      {problem && <ErrorBox problem={problem} retryAt={retryAt} retry={retry} />}
      {!data && !problem && <p class="quiet">Loading…</p>}
      {data && !whole && <p class="quiet">This step is not there any more.</p>}
      {step.bytes === 0 && <PurgedSince traceId={step.trace_id} />}
      {whole && step.bytes > 0 && (
        <>
          <Formats />
          {whole.truncated && <LeftOut whole={whole} bytes={step.bytes} load={() => (isAll.value = true)} />}
          <Said step={step} whole={whole} previous={before} />
        </>
      )}
      <StepScores stepId={step.id} />
      {whole && <AllFields whole={whole} />}
      {mayPurge && step.trace_id && step.bytes > 0 && <Purge traceId={step.trace_id} refresh={refresh} />}
    </>
  );
}

function Formats() {
  return (
    <fieldset class="formats">
      <legend class="unseen">Show as</legend>
      {FORMATS.map((name) => (
        <label key={name}>
          <input
            type="radio"
            name="format"
            checked={format.value === name}
            onChange={() => setFormat(name)}
          />
          {name === "json" ? "JSON" : name === "text" ? "Text" : "Markdown"}
        </label>
      ))}
    </fieldset>
  );
}

function LeftOut({ whole, bytes, load }: { whole: WholeStep; bytes: number; load: () => void }) {
  return (
    <p class="left-out">
      <span>
        {(whole.left_out ?? []).join(", ") || "Part of it"} left out: it is{" "}
        {(bytes / 1024).toLocaleString(undefined, { maximumFractionDigits: 0 })} KiB in all.
      </span>
      <button type="button" onClick={load}>
        Load all
      </button>
    </p>
  );
}

function AllFields({ whole }: { whole: WholeStep }) {
  return (
    <Fold title="All fields">
      <Json value={whole} version={whole.anonymization_version} open={1} />
    </Fold>
  );
}
