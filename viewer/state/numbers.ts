/** Whole numbers as the fragment has them: `3.7.12`. */
export function numbersIn(text: string): Set<number> {
  return new Set(
    text
      .split(".")
      .filter((part) => /^\d+$/.test(part))
      .map(Number),
  );
}

export function textOf(numbers: Set<number>): string {
  return [...numbers].sort((one, other) => one - other).join(".");
}
