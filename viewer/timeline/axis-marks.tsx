import { durationText } from "../parts/figures.tsx";
import { numbersIn, textOf } from "../state/numbers.ts";
import { replace, route, setQuery } from "../state/route.ts";
import { placed } from "./placed.ts";
import type { Scale } from "./scale.ts";
import { ticksOf } from "./ticks.ts";

/** The ticks, and the times in which nothing happened: a click folds and unfolds them. */
export function AxisMarks({ scale, offset, width }: { scale: Scale; offset: number; width: number }) {
  const ticks = ticksOf(scale, offset, offset + width);
  const openGaps = numbersIn(route.value.query.get("gaps") ?? "");
  const gaps = scale.pieces.filter(
    ({ kind, left, width: wide }) => kind === "gap" && left + wide > offset && left < offset + width,
  );
  const toggle = (number: number) => {
    if (!openGaps.delete(number)) openGaps.add(number);
    setQuery({ gaps: textOf(openGaps) }, replace);
  };
  return (
    <>
      {ticks.map(({ left, text }) => (
        <span key={left} class="tick" style={{ left: `${left - offset}px` }}>
          {text}
        </span>
      ))}
      {gaps.map(({ number, from, to, left, width: wide, isOpen }) => (
        <button
          key={`gap ${number}`}
          type="button"
          class={`gap ${isOpen ? "open" : "closed"}`}
          aria-expanded={isOpen}
          aria-label={`Nothing happened for ${durationText(to - from)}`}
          title={`Nothing happened for ${durationText(to - from)}: ${isOpen ? "fold" : "unfold"}`}
          style={placed(Math.max(left, offset) - offset, Math.min(wide, left + wide - offset, width))}
          onClick={() => toggle(number)}
        >
          {durationText(to - from)}
        </button>
      ))}
    </>
  );
}
