import { address } from "../api/client.ts";
import { getSession, listSessionSteps } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { WholeSession } from "../api/types.ts";
import { Live } from "../parts/badge.tsx";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Duration, Money, Time, Tokens } from "../parts/figures.tsx";
import { Heading } from "../parts/shell.tsx";
import { StepLines } from "../parts/step-lines.tsx";
import { href } from "../state/route.ts";

/** `#/sessions/S`: a session's figures, and its steps in the order in which they happened. */
export function Session({ id }: { id: string }) {
  const session = useResource(`session ${id}`, (signal) => getSession(id, signal));
  const steps = useResource(`steps ${id}`, (signal) => listSessionSteps(id, {}, signal));
  const problem = session.problem ?? steps.problem;
  if (problem?.status === 404) {
    return (
      <Empty title="This session is not there">
        <p>It does not exist, or belongs to a namespace that this token may not use.</p>
        <a href={href(["sessions"])}>All sessions</a>
      </Empty>
    );
  }
  return (
    <div class="page">
      <a href={href(["sessions"])}>← Sessions</a>
      <Heading title={id} curl={curlOf(address(`/sessions/${encodeURIComponent(id)}/steps`))}>
        {session.data?.active && <Live />}
      </Heading>
      {problem && <ErrorBox problem={problem} retry={() => [session.retry(), steps.retry()]} />}
      {session.data && <Figures session={session.data} />}
      <StepLines steps={steps.data?.steps ?? []} place={["sessions", id]} />
      {steps.data && (
        <p class="quiet">
          {steps.data.steps.length} of {steps.data.count} steps
        </p>
      )}
    </div>
  );
}

function Figures({ session }: { session: WholeSession }) {
  return (
    <dl class="figures">
      <dt>Steps</dt>
      <dd>
        <Count value={session.step_count} />
      </dd>
      <dt>Errors</dt>
      <dd class={session.error_count ? "failed" : ""}>
        <Count value={session.error_count} />
      </dd>
      <dt>Tokens</dt>
      <dd>
        <Tokens input={session.input_tokens} output={session.output_tokens} />
      </dd>
      <dt>Cost</dt>
      <dd>
        <Money value={session.cost} />
      </dd>
      <dt>Duration</dt>
      <dd>
        <Duration milliseconds={session.duration_ms} />
      </dd>
      <dt>Last activity</dt>
      <dd>
        <Time value={session.last_activity_at} />
      </dd>
    </dl>
  );
}
