export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Reads a `.http` file as editors do: requests between `###` lines, `@name = value`, `{{name}}`, `#` comments. */
export function parseHttpFile(text: string, given: Record<string, string>): HttpRequest[] {
  const declared = [...text.matchAll(/^@(\w+) *= *(.+)$/gm)].map(([, name, value]) => [
    name as string,
    value as string,
  ]);
  const values: Record<string, string> = { ...Object.fromEntries(declared), ...given };
  return text
    .replaceAll(/\{\{(\w+)\}\}/g, (_, name) => values[name] ?? "")
    .split(/^###.*$/m)
    .slice(1)
    .map(parseRequest);
}

function parseRequest(text: string): HttpRequest {
  const [head = "", ...body] = text.trim().split("\n\n");
  const [line = "", ...headers] = head.split("\n").filter((line) => !line.startsWith("#"));
  const [method = "", url = ""] = line.split(" ");
  const pairs = headers.map((header) => header.split(/: */, 2) as [string, string]);
  return {
    method,
    url,
    headers: Object.fromEntries(pairs),
    body: body.length > 0 ? body.join("\n\n") : undefined,
  };
}
