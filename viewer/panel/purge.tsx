import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { getTrace, purgeTraceContent } from "../api/operations.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { useResource } from "../api/resource.ts";
import { ErrorBox } from "../parts/error-box.tsx";
import { exactTime } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";

/** Since when nothing is known any more of what was said. */
export function PurgedSince({ traceId }: { traceId: string }) {
  const { data, problem, retry } = useResource(`purged ${traceId}`, (signal) => getTrace(traceId, signal));
  const since = data?.content_redacted_at;
  if (problem) return <ErrorBox problem={problem} retry={retry} />;
  return (
    <p class="purged" role="status">
      What was said here was taken away{since ? `: ${exactTime(since)}` : ""}. Ids, times and counts stay.
    </p>
  );
}

/** Takes away what was said in a trace, for who types its id. */
export function Purge({ traceId, refresh }: { traceId: string; refresh: () => Promise<void> }) {
  const isAsked = useSignal(false);
  if (!isAsked.value) {
    return (
      <p class="purge">
        <button type="button" class="plain danger" onClick={() => (isAsked.value = true)}>
          Take content away…
        </button>
      </p>
    );
  }
  return <PurgeForm traceId={traceId} refresh={refresh} cancel={() => (isAsked.value = false)} />;
}

interface FormProps {
  traceId: string;
  refresh: () => Promise<void>;
  cancel: () => void;
}

function PurgeForm({ traceId, refresh, cancel }: FormProps) {
  const field = useId();
  const typed = useSignal("");
  const isBusy = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const purge = async (event: SubmitEvent) => {
    event.preventDefault();
    isBusy.value = true;
    problem.value = undefined;
    try {
      await purgeTraceContent(traceId);
      await refresh();
      // The form goes away with the content.
      document.querySelector<HTMLElement>(".panel")?.focus();
    } catch (thrown) {
      problem.value = asProblem(thrown);
    }
    isBusy.value = false;
  };
  return (
    <form class="purge purge-form" onSubmit={purge}>
      <p>
        What was said in this trace, and in all below it, is taken away for good. Ids, times and counts stay.
      </p>
      <label for={field}>
        To go on, type the trace's id:{" "}
        <code>
          <SafeText text={traceId} />
        </code>
      </label>
      <input
        id={field}
        autocomplete="off"
        spellcheck={false}
        value={typed.value}
        onInput={({ currentTarget }) => (typed.value = currentTarget.value.trim())}
      />
      {problem.value && <ErrorBox problem={problem.value} />}
      <p class="panel-actions">
        <button type="submit" class="danger" disabled={typed.value !== traceId || isBusy.value}>
          {isBusy.value ? "Taking away…" : "Take content away"}
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </p>
    </form>
  );
}
