export interface CurlRequest {
  url: string;
  init: RequestInit;
}

/** Reads a curl line as a shell would: quotes, continued lines, and variables, which are replaced. */
export function parseCurl(line: string, variables: Record<string, string>): CurlRequest {
  const [command, ...words] = shellWords(line, variables);
  if (command !== "curl") throw new Error(`Not a curl line: ${line}`);

  const headers: Record<string, string> = {};
  let method: string | undefined;
  let body: string | undefined;
  let url = "";
  while (words.length > 0) {
    const word = words.shift() as string;
    if (word === "-X") method = words.shift();
    else if (word === "-d") body = words.shift();
    else if (word === "-o") words.shift();
    else if (word === "-H") {
      const [name, ...value] = (words.shift() as string).split(":");
      headers[name as string] = value.join(":").trim();
    } else if (word.startsWith("-") && word !== "-s")
      throw new Error(`An option that is not known here: ${word}`);
    else if (word !== "-s") url = word;
  }
  return { url, init: { method: method ?? (body === undefined ? "GET" : "POST"), headers, body } };
}

function shellWords(line: string, variables: Record<string, string>): string[] {
  const words = line.replaceAll("\\\n", " ").match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, single, double, bare) =>
      single === undefined ? substitute(double ?? bare, variables) : single,
    ),
  );
}

function substitute(text: string, variables: Record<string, string>): string {
  return text
    .replaceAll("$(uuidgen)", () => crypto.randomUUID())
    .replace(/\$(\w+)/g, (_, name) => variables[name] ?? `$${name}`);
}
