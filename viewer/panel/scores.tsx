import { listScores } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { Score } from "../api/types.ts";
import { ErrorBox } from "../parts/error-box.tsx";
import { Time } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { settled } from "./settled.ts";

/** How good a step was said to be; nothing where nobody has said so. */
export function StepScores({ stepId }: { stepId: string }) {
  const { data, problem, retry } = useResource(`scores of ${stepId}`, async (signal) => {
    await settled(signal);
    return listScores({ step_id: stepId, limit: 100 }, signal);
  });
  if (problem) return <ErrorBox problem={problem} retry={retry} />;
  if (!data || data.scores.length === 0) return null;
  return (
    <section class="part">
      <h3>Scores</h3>
      <ScoreList scores={data.scores} />
    </section>
  );
}

export function ScoreList({ scores }: { scores: Score[] }) {
  return (
    <ul class="scores">
      {scores.map(({ id, name, value, comment, source, created_at }) => (
        <li key={id}>
          <strong>
            <SafeText text={name} />
          </strong>
          <span>{value === null ? "taken away" : <SafeText text={valueText(value)} />}</span>
          <span class="quiet">
            {source && `${source} · `}
            <Time value={created_at} />
          </span>
          {comment && (
            <span class="comment">
              <SafeText text={comment} />
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function valueText(value: number | boolean | string): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : `${value}`;
}
