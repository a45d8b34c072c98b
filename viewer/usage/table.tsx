import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { ScoreFigures, UsageFigures, UsageRow } from "../api/types.ts";
import { Count, Money, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { type Dimension, dimensionValue, latencyText, titleOf, valueText } from "./dimensions.ts";

interface Props {
  rows: UsageRow[];
  totals: UsageFigures;
  by: Dimension[];
  zone: string;
}

/** Rows in the document at first, and with each step further. */
const ROWS = 300;

const FIGURES = ["Calls", "Tool calls", "Errors", "Tokens in → out", "Cost", "p50", "p95", "Scores"];

/** The numbers of an answer, as the API gives them. */
export function UsageTable({ rows, totals, by, zone }: Props) {
  const shown = useSignal(ROWS);
  const titles = by.map(titleOf);
  return (
    <>
      <div
        class="wide"
        tabIndex={0}
        role="region"
        aria-label={`Usage by ${titles.join(" and ").toLowerCase()}`}
      >
        <table class="usage-table cards">
          <thead>
            <tr>
              {titles.map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
              {FIGURES.map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown.value).map((row) => (
              <tr key={JSON.stringify(by.map((name) => dimensionValue(row, name)))}>
                {by.map((name) => (
                  <th key={name} scope="row">
                    <SafeText text={valueText(name, dimensionValue(row, name), zone)} />
                  </th>
                ))}
                <Cells figures={row} />
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={by.length}>
                Total
              </th>
              <Cells figures={totals} />
            </tr>
          </tfoot>
        </table>
      </div>
      {rows.length > shown.value && (
        <p class="list-footer">
          <span role="status">
            {shown.value.toLocaleString()} of {rows.length.toLocaleString()} rows
          </span>
          <button
            type="button"
            onClick={() => {
              shown.value += ROWS;
            }}
          >
            Show more
          </button>
        </p>
      )}
    </>
  );
}

function Cells({ figures }: { figures: UsageFigures }) {
  const { calls, tool_calls, errors, input_tokens, output_tokens, cost, latency_ms, scores } = figures;
  const cells: ComponentChildren[] = [
    <Count key="calls" value={calls} />,
    <Count key="tools" value={tool_calls} />,
    <Count key="errors" value={errors} />,
    <Tokens key="tokens" input={input_tokens} output={output_tokens} />,
    <Money key="cost" value={cost} isInWords />,
    latencyText(latency_ms.p50),
    latencyText(latency_ms.p95),
    <SafeText key="scores" text={scoresText(scores)} />,
  ];
  return (
    <>
      {cells.map((cell, index) => (
        <td
          key={FIGURES[index]}
          data-title={FIGURES[index]}
          class={FIGURES[index] === "Errors" && errors > 0 ? "number failed" : "number"}
        >
          {cell}
        </td>
      ))}
    </>
  );
}

/** As `csat 4.5 (2)`: the average and of how many. Texts have no average. */
function scoresText(scores: ScoreFigures): string {
  return Object.entries(scores)
    .map(([name, { count, average }]) =>
      average === null ? `${name} (${count})` : `${name} ${Number(average.toFixed(2))} (${count})`,
    )
    .join(", ");
}
