import { signal } from "@preact/signals";

/** Where one is: `#/sessions/s-1?agent=planner`. All that is visible is in it, so that a link shows the same. */
export interface Route {
  path: string[];
  query: URLSearchParams;
  /** Of this place in the tab's history: going back to it finds what was kept under this number. */
  entry: number;
}

let lastEntry = 0;

export const route = signal<Route>(read());

addEventListener("popstate", follow);
addEventListener("hashchange", follow);

/** The address of a place, for `<a href>`. */
export function href(path: string[], query: Record<string, string> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== "");
  const text = new URLSearchParams(filled).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text && `?${text}`}`;
}

/** Goes elsewhere: the browser's back button leads here again. */
export function push(path: string[], query?: Record<string, string>): void {
  history.pushState(null, "", href(path, query));
  follow();
}

/** Changes the place without a new entry in the history. */
export function replace(path: string[], query?: Record<string, string>): void {
  history.replaceState(history.state, "", href(path, query));
  follow();
}

/** Changes some of the query's parameters; an empty one is left out. */
export function setQuery(changes: Record<string, string>, go: typeof push = push): void {
  const { path, query } = route.peek();
  go(path, { ...Object.fromEntries(query), ...changes });
}

function follow(): void {
  route.value = read();
}

function read(): Route {
  const [path = "", query] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: new URLSearchParams(query),
    entry: entryNumber(),
  };
}

/** Links give the browser's history no state: they get their number here. */
function entryNumber(): number {
  const known = (history.state as { entry?: number } | null)?.entry;
  lastEntry = Math.max(known ?? 0, lastEntry);
  if (known !== undefined) return known;
  lastEntry += 1;
  history.replaceState({ entry: lastEntry }, "");
  return lastEntry;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
