import { useMemo } from "preact/hooks";
import type { Usage } from "../api/types.ts";
import { SafeText } from "../parts/safe-text.tsx";
import { isNarrow } from "../state/screen.ts";
import { type Bar, type Chart, chartOf } from "./chart.ts";
import { type Dimension, isTime, type Metric, titleOf } from "./dimensions.ts";

interface Props {
  answer: Usage;
  by: Dimension[];
  metric: Metric;
  zone: string;
}

/** An answer as bars. Whoever does not see them has the table below, of the same numbers. */
export function Bars({ answer, by, metric, zone }: Props) {
  const chart = useMemo(() => chartOf(answer, by, metric, zone), [answer, metric]);
  const { currency, unpriced_steps = 0 } = answer.totals.cost;
  const text = (value: number) => metric.text(value, currency);
  const [first = "day", second] = by;
  const label = `${metric.title} by ${[first, second].filter(Boolean).join(" and ")}, as in the table below`;
  if (chart.largest === 0)
    return <p class="quiet">Bars of {metric.title.toLowerCase()}: all are 0 or unknown.</p>;
  return (
    <figure class="bars" aria-label={label}>
      {isTime(first) ? <Columns chart={chart} text={text} /> : <Lines chart={chart} text={text} />}
      {second && <Legend series={chart.series} />}
      <figcaption class="quiet">
        {chart.leftOut > 0 &&
          `The bars show ${chart.bars.length} of ${chart.bars.length + chart.leftOut} (${titleOf(first).toLowerCase()}); the table has all. `}
        {metric.name === "cost" &&
          unpriced_steps > 0 &&
          `Not in the bars: ${unpriced_steps === 1 ? "1 step whose cost is" : `${unpriced_steps} steps whose costs are`} unknown.`}
      </figcaption>
    </figure>
  );
}

interface DrawnProps {
  chart: Chart;
  text: (value: number) => string;
}

/** Upright, the time going to the right. */
function Columns({ chart: { bars, series, largest }, text }: DrawnProps) {
  const every = Math.ceil(bars.length / (isNarrow.value ? 3 : 8));
  return (
    <>
      <div class="axis quiet">{text(largest)}</div>
      <svg class="columns" viewBox={`0 0 ${bars.length} 100`} preserveAspectRatio="none" aria-hidden="true">
        {bars.map((bar, index) =>
          stacked(bar, 100 / largest).map(({ from, size, part }) => (
            <rect
              key={`${index} ${part}`}
              class={`series-${part}`}
              x={index + 0.12}
              width={0.76}
              y={100 - from - size}
              height={size}
            >
              <title>{tip(bar, series[part], text(bar.parts[part] ?? 0))}</title>
            </rect>
          )),
        )}
      </svg>
      <div
        class={`times quiet${every === 1 ? " centered" : ""}`}
        style={{ gridTemplateColumns: `repeat(${bars.length}, 1fr)` }}
        aria-hidden="true"
      >
        {bars.map(
          ({ title }, index) =>
            index % every === 0 && (
              <span
                key={title}
                style={{ gridColumn: `${index + 1} / span ${Math.min(every, bars.length - index)}` }}
              >
                {title}
              </span>
            ),
        )}
      </div>
    </>
  );
}

/** Lying, the largest on top. */
function Lines({ chart: { bars, series, largest }, text }: DrawnProps) {
  return (
    <ul class="bar-lines" aria-hidden="true">
      {bars.map((bar) => (
        <li key={bar.title}>
          <span class="line">
            <SafeText text={bar.title} />
          </span>
          <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
            {stacked(bar, 100 / largest).map(({ from, size, part }) => (
              <rect key={part} class={`series-${part}`} x={from} width={size} y={0} height={1}>
                <title>{tip(bar, series[part], text(bar.parts[part] ?? 0))}</title>
              </rect>
            ))}
          </svg>
          <span class="number">{text(bar.total)}</span>
        </li>
      ))}
    </ul>
  );
}

function Legend({ series }: { series: string[] }) {
  return (
    <ul class="legend">
      {series.map((title, index) => (
        <li key={title}>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <rect class={`series-${index}`} width={1} height={1} />
          </svg>
          <SafeText text={title} />
        </li>
      ))}
    </ul>
  );
}

/** Where the parts of a bar lie, one upon the other. */
function stacked({ parts }: Bar, scale: number) {
  let from = 0;
  return parts.flatMap((value, part) => {
    const size = value * scale;
    const lies = { from, size, part };
    from += size;
    return value > 0 ? [lies] : [];
  });
}

function tip({ title }: Bar, series: string | undefined, value: string): string {
  return `${[title, series].filter(Boolean).join(" · ")}: ${value}`;
}
