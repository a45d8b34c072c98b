/** A request as documentation shows it: `url` is whole, `body` is JSON or undefined. */
interface SampleRequest {
  method: string;
  url: string;
  authenticated: boolean;
  body?: unknown;
}

/** The same request in three languages, as `x-codeSamples` (what Redocly and others draw). */
export function codeSamples(request: SampleRequest) {
  return [
    { lang: "Shell", label: "curl", source: curl(request) },
    { lang: "JavaScript", label: "JavaScript", source: javaScript(request) },
    { lang: "Python", label: "Python", source: python(request) },
  ];
}

function curl({ method, url, authenticated, body }: SampleRequest): string {
  const options: Record<string, string> = { GET: "", HEAD: "-I " };
  const lines = [`curl ${options[method] ?? `-X ${method} `}"${url}"`];
  if (authenticated) lines.push('-H "Authorization: Bearer $MONKAI_TRACER_TOKEN"');
  if (body !== undefined) {
    lines.push('-H "Content-Type: application/json"', `-d '${json(body).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}

function javaScript({ method, url, authenticated, body }: SampleRequest): string {
  const headers = [
    ...(authenticated ? [`Authorization: "Bearer " + process.env.MONKAI_TRACER_TOKEN`] : []),
    ...(body === undefined ? [] : ['"Content-Type": "application/json"']),
  ];
  const options = [
    `method: "${method}"`,
    ...(headers.length > 0 ? [`headers: { ${headers.join(", ")} }`] : []),
    ...(body === undefined ? [] : [`body: JSON.stringify(${json(body)})`]),
  ];
  return `const response = await fetch("${url}", {
${indent(options.join(",\n"), 2)},
});
console.log(response.status, response.headers.get("x-request-id"), await response.text());`;
}

function python({ method, url, authenticated, body }: SampleRequest): string {
  const options = [
    `"${url}"`,
    ...(authenticated ? [`headers={"Authorization": f"Bearer {os.environ['MONKAI_TRACER_TOKEN']}"}`] : []),
    ...(body === undefined ? [] : [`json=${pythonLiteral(body)}`]),
  ];
  return `import os, requests

response = requests.${method.toLowerCase()}(
${indent(options.join(",\n"), 4)},
)
print(response.status_code, response.headers["x-request-id"], response.text)`;
}

/** JSON's texts and numbers are Python's too; three words are not. */
function pythonLiteral(value: unknown): string {
  const words: Record<string, string> = { null: "None", true: "True", false: "False" };
  return json(value).replace(/"(?:[^"\\]|\\.)*"|null|true|false/g, (token) => words[token] ?? token);
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function indent(text: string, by: number): string {
  return text.replace(/^/gm, " ".repeat(by));
}
