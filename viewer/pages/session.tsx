import { address } from "../api/client.ts";
import { getSession, listScores } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { WholeSession } from "../api/types.ts";
import { ScoreList } from "../panel/scores.tsx";
import { Live } from "../parts/badge.tsx";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Duration, Money, Time, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { ByAgent, Figure, ScoreFigure } from "../run/run-figures.tsx";
import { RunPage } from "../run/run-page.tsx";
import { useRun } from "../run/use-run.ts";
import { href } from "../state/route.ts";

/** `#/sessions/S`: what the agents of a session did and said, and its figures. */
export function Session({ id }: { id: string }) {
  const reading = useRun("session", id);
  const { run, first, watermark } = reading;
  const session = useResource(`session ${id} ${watermark}`, (signal) => getSession(id, signal));
  const scores = useResource(`scores ${id} ${watermark}`, (signal) =>
    listScores({ session_id: id, limit: 100 }, signal),
  );
  if ((first.problem ?? session.problem)?.status === 404) {
    return (
      <Empty title="This session is not there">
        <p>It does not exist, or belongs to a namespace that this token may not use.</p>
        <a href={href(["sessions"])}>All sessions</a>
      </Empty>
    );
  }
  const given = scores.data?.scores ?? [];
  return (
    <RunPage reading={reading}>
      <a href={href(["sessions"])}>← Sessions</a>
      <Heading
        title={id}
        curl={curlOf(address(`/sessions/${encodeURIComponent(id)}/steps`, { limit: 5000 }))}
      >
        {session.data?.active && <Live />}
      </Heading>
      {session.problem && <ErrorBox problem={session.problem} retry={session.retry} />}
      {session.data && <Figures session={session.data} />}
      <div class="run-details">
        {run && <ByAgent run={run} />}
        {given.length > 0 && (
          <details>
            <summary>
              Feedback ({given.length}
              {scores.data?.next_cursor ? " newest" : ""})
            </summary>
            <div class="scroll" tabIndex={0} role="region" aria-label="Feedback">
              <ScoreList scores={given} />
            </div>
          </details>
        )}
      </div>
    </RunPage>
  );
}

function Figures({ session }: { session: WholeSession }) {
  return (
    <dl class="run-figures">
      {session.user_id && (
        <Figure name="User">
          <a href={href(["sessions"], { user_id: session.user_id })}>
            <SafeText text={session.user_id} />
          </a>
        </Figure>
      )}
      <Figure name={session.models.length === 1 ? "Model" : "Models"}>
        {session.models.length > 0 ? <SafeText text={session.models.join(", ")} /> : "none"}
      </Figure>
      <Figure name="Traces">
        <Count value={session.trace_count} />
      </Figure>
      <Figure name="Steps">
        <Count value={session.step_count} />
      </Figure>
      <Figure name="Errors">
        <span class={session.error_count ? "failed" : ""}>
          <Count value={session.error_count} />
        </span>
      </Figure>
      <Figure name="Tokens">
        <Tokens input={session.input_tokens} output={session.output_tokens} />
      </Figure>
      <Figure name="Cost">
        <Money value={session.cost} />
      </Figure>
      <Figure name="Duration">
        <Duration milliseconds={session.duration_ms} />
      </Figure>
      <Figure name="Last activity">
        <Time value={session.last_activity_at} />
      </Figure>
      <ScoreFigure scores={session.scores} />
    </dl>
  );
}
