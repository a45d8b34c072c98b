import { type Figure, type Goal, isMet } from "./figures.ts";

const HEAD = ["", "figure", "measured", "against", "unit", "ratio", "spread", "goal", "met"];

/** The figures as a table for a terminal, their notes below it. */
export function table(figures: Figure[]): string {
  const rows = [HEAD, ...figures.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => padded(cell, column, widths))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, "", ...notes(figures)].join("\n");
}

function cells(figure: Figure): string[] {
  const { section, name, measured, against, unit, ratio, spread, goal } = figure;
  const met = isMet(figure);
  return [
    `${section}`,
    name,
    short(measured),
    against === undefined ? "" : short(against),
    unit,
    ratio === undefined ? "" : ratio.toFixed(2),
    spread ? spread.map((end) => (ratio === undefined ? short(end) : end.toFixed(2))).join(" - ") : "",
    goal ? goalText(goal) : "",
    met === undefined ? "" : met ? "yes" : "NO",
  ];
}

function goalText(goal: Goal): string {
  return "atLeast" in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`;
}

function short(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

const TEXT_COLUMNS = new Set([1, 4]);

function padded(cell: string, column: number, widths: number[]): string {
  const width = widths[column] ?? 0;
  return TEXT_COLUMNS.has(column) ? cell.padEnd(width) : cell.padStart(width);
}

function notes(figures: Figure[]): string[] {
  return figures.flatMap((figure) => {
    const { section, name, p95, note } = figure;
    const latencies = p95 ? `p95 ${short(p95.measured)} : ${short(p95.against)} ${figure.unit}` : "";
    const said = [latencies, note].filter(Boolean).join("; ");
    return said ? [`${section} ${name}: ${said}`] : [];
  });
}
