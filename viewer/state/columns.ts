import { signal } from "@preact/signals";

const KEY = "hidden-columns";

/** The columns of the list of sessions that are not wanted, by their names. */
export const hiddenColumns = signal<string[]>((localStorage.getItem(KEY) ?? "").split(",").filter(Boolean));

export function showColumn(name: string, isShown: boolean): void {
  const others = hiddenColumns.peek().filter((hidden) => hidden !== name);
  hiddenColumns.value = isShown ? others : [...others, name];
  localStorage.setItem(KEY, hiddenColumns.value.join(","));
}
