import { address } from "../api/client.ts";
import { listTraceSteps } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Heading } from "../parts/shell.tsx";
import { StepLines } from "../parts/step-lines.tsx";
import { href } from "../state/route.ts";

/** `#/traces/T`: the steps of the whole tree, in the order in which they happened. */
export function Trace({ id }: { id: string }) {
  const query = { scope: "tree" };
  const { data, problem, retryAt, retry } = useResource(`trace ${id}`, (signal) =>
    listTraceSteps(id, query, signal),
  );
  if (problem?.status === 404) {
    return (
      <Empty title="This trace is not there">
        <p>It does not exist, or belongs to a namespace that this token may not use.</p>
        <a href={href(["traces"])}>All traces</a>
      </Empty>
    );
  }
  return (
    <div class="page">
      <a href={href(["traces"])}>← Traces</a>
      <Heading title={id} curl={curlOf(address(`/traces/${encodeURIComponent(id)}/steps`, query))} />
      {problem && <ErrorBox problem={problem} retryAt={retryAt} retry={retry} />}
      {data && <StepLines steps={data.steps} place={["traces", id]} />}
      {data ? (
        <p class="quiet">
          {data.steps.length} of {data.count} steps
        </p>
      ) : (
        !problem && <p class="quiet">Loading…</p>
      )}
    </div>
  );
}
