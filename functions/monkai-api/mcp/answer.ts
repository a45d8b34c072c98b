/**
 * The most that a tool answers, in bytes of its JSON: what an agent can read without losing what it was doing. With the
 * envelope around it, every answer is below 8,000 bytes.
 */
export const MOST_BYTES = 7_500;

const encoder = new TextEncoder();

/** How long a text is in an answer's JSON. */
export function bytesOf(text: string): number {
  return encoder.encode(JSON.stringify(text)).length - 2;
}

/** The beginning of a text that is no longer than `bytes` when `written`, ending in `...` where something is cut. */
export function cutTo(text: string, bytes: number, written = (cut: string) => cut): string {
  const whole = text.length <= bytes ? written(text) : undefined;
  if (whole !== undefined && bytesOf(whole) <= bytes) return whole;
  let [fits, tooLong] = [0, Math.min(text.length, Math.max(bytes, 0)) + 1];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (bytesOf(written(`${text.slice(0, middle)}...`)) <= bytes) fits = middle;
    else tooLong = middle;
  }
  return written(`${beginning(text, fits)}...`);
}

/** So many characters of a text, and no half of one. */
export function beginning(text: string, length: number): string {
  return text.slice(0, /[\uD800-\uDBFF]/.test(text[length - 1] ?? "") ? length - 1 : length);
}

type Value = string | number | boolean | null | undefined;

/** Names that a line shows in full up to here, and what of a text is worth to be shown. */
const NAME_BYTES = 120;
const SHORTEST_TEXT = 20;

type Values = Record<string, Value>;

/**
 * One line of `name=value`, as logfmt: texts are quoted as in JSON, so that nothing that was said can look like another
 * line. `ids` are whole, `names` nearly always, and `texts` share what is left of `bytes`, the first ones first.
 */
export function line(
  { ids = {}, names = {}, texts = {} }: { ids?: Values; names?: Values; texts?: Values },
  bytes = 0,
): string {
  const said = [
    ...Object.entries(ids).map(([name, value]) => pair(name, value)),
    ...Object.entries(names).map(([name, value]) => pair(name, value, NAME_BYTES)),
  ].filter((part) => part !== "");
  for (const [name, value] of Object.entries(texts)) {
    const left = bytes - bytesOf(said.join(" ")) - name.length - 2;
    if (left >= SHORTEST_TEXT && value) said.push(pair(name, value, left));
  }
  return said.join(" ");
}

function pair(name: string, value: Value, bytes = Number.POSITIVE_INFINITY): string {
  if (value === null || value === undefined || value === "") return "";
  return `${name}=${typeof value === "string" ? cutTo(value, bytes, quoted) : value}`;
}

function quoted(text: string): string {
  return /^[\w.:@+/-]+$/.test(text) && text !== "..." ? text : visible(text);
}

/** Ends of lines that JSON does not know as such, what turns the direction of writing, and letters that nobody sees. */
const UNSEEN = /[\u2028-\u202E\u2066-\u2069]|\uDB40[\uDC00-\uDC7F]/g;

/** A value as JSON in one line, in which people see what a model reads. */
export function visible(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, (unseen) =>
    [...Array(unseen.length).keys()]
      .map((place) => `\\u${unseen.charCodeAt(place).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

interface Listing<Row> {
  /** What is said first. */
  head: string;
  rows: Row[];
  /** A row in at most so many bytes, if that can be. */
  line: (row: Row, bytes: number) => string;
  /** What is said when all rows are there. */
  end: string;
  /** What is said when there was no room for so many of them. */
  cut: (left: number, shown: number) => string;
}

/** As many rows as there is room for, and what to do about those that are left out. */
export function listing<Row>({ head, rows, line, end, cut }: Listing<Row>): string {
  const lines = [head];
  let left = MOST_BYTES - bytesOf(head) - Math.max(bytesOf(end), bytesOf(cut(rows.length, rows.length))) - 6;
  for (const [index, row] of rows.entries()) {
    const written = line(row, Math.floor(left / (rows.length - index)) - 2);
    left -= bytesOf(written) + 2;
    if (left < 0) return [...lines, cut(rows.length - index, index)].join("\n");
    lines.push(written);
  }
  return [...lines, end].join("\n");
}

/** The end of a page of a list: how to get the next one, or that there is none. */
export function pageEnd(next_cursor: string | undefined): string {
  return next_cursor ? `More: the same call with cursor=${next_cursor}` : "That is all.";
}

/** The same where the page was too long. Its cursor would skip what is left out. */
export function pageCut(left: number, shown: number): string {
  return `Left out, because the answer would be too long: ${left} of this page. The same call with limit=${shown} has a cursor that leads to them.`;
}
