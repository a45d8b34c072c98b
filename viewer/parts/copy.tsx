import { useSignal } from "@preact/signals";
import { API } from "../api/client.ts";

/** A button that copies a text, and says that it did. */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const said = useSignal("");
  const copy = async () => {
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    said.value = done ? "Copied" : "Not allowed here";
    setTimeout(() => {
      said.value = "";
    }, 2_000);
  };
  return (
    <button type="button" class="plain copy" onClick={copy}>
      <span aria-live="polite">{said.value || label}</span>
    </button>
  );
}

/** A read of this API as one types it in a shell. The token is not in it. */
export function curlOf(address: string): string {
  return `curl ${quoted(address)} -H "Authorization: Bearer $MONKAI_TRACER_TOKEN"`;
}

/** A question that is asked by POST. */
export function curlOfPost(address: string, body: unknown): string {
  return `${curlOf(address)} -H "Content-Type: application/json" -d ${quoted(JSON.stringify(body))}`;
}

/** The first step that anybody can send. */
export function firstStep(): { curl: string; python: string; typescript: string } {
  const body = `{"namespace":"my-agent","agent":"planner","model":"gpt-4o","input":{"messages":[{"role":"user","content":"Hello!"}]},"output":{"content":"Hi, how can I help?","usage":{"prompt_tokens":8,"completion_tokens":10}}}`;
  const url = `${API}/traces/llm`;
  return {
    curl: `curl -X POST ${quoted(url)} \\
  -H "Authorization: Bearer $MONKAI_TRACER_TOKEN" -H "Content-Type: application/json" \\
  -d '${body}'`,
    python: `import os, urllib.request

urllib.request.urlopen(urllib.request.Request(
    "${url}",
    b'${body}',
    {"Authorization": "Bearer " + os.environ["MONKAI_TRACER_TOKEN"], "Content-Type": "application/json"},
))`,
    typescript: `await fetch("${url}", {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.MONKAI_TRACER_TOKEN}\`, "Content-Type": "application/json" },
  body: JSON.stringify(${body}),
});`,
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
