import { address } from "../api/client.ts";
import { Copy, curlOf } from "../parts/copy.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { lazy } from "../parts/lazy.tsx";
import { useContents } from "../run/contents.ts";
import { replace, setQuery } from "../state/route.ts";
import type { Pair } from "./align.ts";
import { saidIn } from "./said.ts";

const TextDiff = lazy(() => import("./text-diff.tsx").then((part) => part.TextDiff));

/** What was said in both steps of a pair, as a diff. */
export function Texts({ pair: { a, b } }: { pair: Pair }) {
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
