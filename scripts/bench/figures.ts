import { median, spread } from "./statistics.ts";

/** What a figure should be. */
export type Goal = { atLeast: number } | { atMost: number };

/** One line of the result. */
export interface Figure {
  section: number;
  name: string;
  /** Of `measured` and `against`. */
  unit: string;
  measured: number;
  /** What the same run measured for comparison; the ratio is `measured` by it. */
  against?: number;
  ratio?: number;
  /** The smallest and the largest ratio of all rounds; without a ratio, of what was measured. */
  spread?: [number, number];
  /** For the ratio; without one, for what was measured. */
  goal?: Goal;
  /** Where `measured` and `against` are medians of latencies: what 95 % of them do not exceed. */
  p95?: { measured: number; against: number };
  note?: string;
}

/** What alternating rounds have given: medians, and how far the ratios of the rounds lie apart. */
export type Comparison = Required<Pick<Figure, "measured" | "against" | "ratio" | "spread">>;

/** Measures two sides by turns, first one of them first, then the other: what slows the machine slows both. */
export async function alternate(
  rounds: number,
  measure: () => Promise<number>,
  compare: () => Promise<number>,
): Promise<Comparison> {
  const pairs: { measured: number; against: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const early = round % 2 === 0 ? await measure() : undefined;
    const against = await compare();
    pairs.push({ measured: early ?? (await measure()), against });
  }
  return comparison(pairs);
}

/** The medians of what rounds have given. */
export function comparison(pairs: { measured: number; against: number }[]): Comparison {
  const ratios = pairs.map(({ measured, against }) => measured / against);
  return {
    measured: median(pairs.map(({ measured }) => measured)),
    against: median(pairs.map(({ against }) => against)),
    ratio: median(ratios),
    spread: spread(ratios),
  };
}

/** Whether the figure is what it should be; undefined where nothing is asked of it. */
export function isMet({ goal, ratio, measured }: Figure): boolean | undefined {
  if (!goal) return undefined;
  const value = ratio ?? measured;
  return "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
}
