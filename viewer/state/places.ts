/** How many places are remembered: what a person may go back to. */
const MOST = 20;

const places = new Map<string, unknown>();

/** What was kept of a place of the history, as the rows of a list and how far it was scrolled. */
export function recall<Kept>(entry: number, name: string): Kept | undefined {
  return places.get(`${entry} ${name}`) as Kept | undefined;
}

export function keep(entry: number, name: string, value: unknown): void {
  const key = `${entry} ${name}`;
  places.delete(key);
  places.set(key, value);
  const [oldest] = places.keys();
  if (places.size > MOST && oldest) places.delete(oldest);
}

export function forgetPlaces(): void {
  places.clear();
}
