import { diffLines } from "diff";
import { useMemo } from "preact/hooks";
import { SafeText } from "../parts/safe-text.tsx";

/** Milliseconds: what differs everywhere would take for ever. */
const LONGEST = 500;

/** What is in one text and not in the other, line by line: marked by a sign, never by colour alone. */
export function TextDiff({ a, b }: { a: string; b: string }) {
  const parts = useMemo(() => diffLines(a, b, { timeout: LONGEST }), [a, b]);
  if (!parts) return <p class="quiet">These texts are too different to be compared line by line.</p>;
  if (parts.every(({ added, removed }) => !added && !removed)) return <p class="quiet">Both say the same.</p>;
  return (
    <pre class="text-diff" tabIndex={0} role="region" aria-label="Differences">
      {parts.map(({ added, removed, value }, index) => {
        const kind = added ? "added" : removed ? "removed" : "same";
        const sign = added ? "+ " : removed ? "− " : "  ";
        const text = value.replace(/\n$/, "").replace(/^/gm, sign);
        return (
          <span key={`${index}`} class={kind}>
            <SafeText text={text} />
          </span>
        );
      })}
    </pre>
  );
}
