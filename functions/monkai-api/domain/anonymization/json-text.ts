/** What takes the place of the names and values of one object in a JSON text, or of what is outside of all objects. */
export interface Replacements {
  name: (name: string) => string;
  /** `name`: of the member whose value it is, if it is one. */
  text: (value: string, name: string | undefined) => string;
  /** Gets the digits as they are written, and gives them back, or a text. */
  number: (digits: string) => string;
}

interface Token {
  kind: "{" | "}" | "[" | "name" | "text" | "number";
  start: number;
  end: number;
}

/** Whether a text is the JSON of an object, a list or a text. */
export function isJson(text: string): boolean {
  if (!/^\s*["[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * A JSON text with other names, texts and numbers in it. What is not replaced stays as it is written: white space, the
 * digits of large numbers, members of one name. `replacements` makes those of a new object.
 */
export function literalsReplaced(json: string, replacements: () => Replacements): string {
  const objects = [replacements()];
  let name: string | undefined;
  let result = "";
  let copied = 0;
  for (const { kind, start, end } of tokens(json)) {
    if (kind === "{" || kind === "}" || kind === "[") {
      if (kind === "{") objects.push(replacements());
      if (kind === "}") objects.pop();
      name = undefined;
      continue;
    }
    const object = objects.at(-1) as Replacements;
    const written = json.slice(start, end);
    const read: string = kind === "number" ? written : JSON.parse(written);
    if (kind === "name") name = read;
    const replaced = kind === "text" ? object.text(read, name) : object[kind](read);
    if (replaced === read) continue;
    result += json.slice(copied, start) + JSON.stringify(replaced);
    copied = end;
  }
  return result + json.slice(copied);
}

/** The tokens of a JSON text that matter here. */
function* tokens(json: string): Generator<Token> {
  const begin = /[{}[]|"|-?\d[\d.eE+-]*/g;
  for (let found = begin.exec(json); found; found = begin.exec(json)) {
    const [token] = found;
    const start = found.index;
    if (token === '"') begin.lastIndex = endOfText(json, start);
    const end = begin.lastIndex;
    if (token === '"') yield { kind: isName(json, end) ? "name" : "text", start, end };
    else if (token === "{" || token === "}" || token === "[") yield { kind: token, start, end };
    else yield { kind: "number", start, end };
  }
}

/** Behind the closing quote. By hand: a regular expression would run out of stack at a million escapes. */
function endOfText(json: string, start: number): number {
  let end = start + 1;
  while (json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
  return end + 1;
}

/** Whether a colon follows. */
function isName(json: string, end: number): boolean {
  const next = /\S/g;
  next.lastIndex = end;
  return next.exec(json)?.[0] === ":";
}
