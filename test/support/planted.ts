import { randomBytes } from "node:crypto";
import type postgres from "postgres";
import type { Call } from "./operations.ts";
import { keyValues, logOf, SPAN_ID, traceOf } from "./otlp-steps.ts";

const post = (path: string, body: unknown): Call => ({ method: "POST", path: `/v1${path}`, body });

/** Texts that nobody else says, and requests that have one in every field that holds what people, models and tools say. */
export class Planted {
  readonly texts: string[] = [];
  readonly names = { namespace: "shop", session_id: "talk" };

  /** Words, names with accents, telephone numbers, lines. */
  text(): string {
    const unique = randomBytes(6).toString("hex");
    const forms = [
      `said ${unique}`,
      `João Ção-${unique}`,
      `+55 21 9${BigInt(`0x${unique}`)}`,
      `"${unique}"\nand more`,
    ];
    const text = forms[this.texts.length % forms.length] as string;
    this.texts.push(text);
    return text;
  }

  /** One as the name of a member, and in a list. */
  freeForm(): object {
    return { [this.text()]: [this.text(), { deep: this.text() }] };
  }

  #failed() {
    return { ...this.names, error: { type: this.text(), message: this.text() } };
  }

  #common() {
    return { ...this.#failed(), metadata: this.freeForm() };
  }

  calls(): Call[] {
    return [
      ...this.#sessions(),
      ...this.#traced(),
      ...this.#uploaded(),
      ...this.#ofOpenTelemetry(),
      ...this.#scores(),
    ];
  }

  #sessions(): Call[] {
    const { namespace } = this.names;
    return [
      post("/sessions/create", { namespace, user_id: "u", metadata: this.freeForm() }),
      post("/sessions/get-or-create", { namespace, user_id: "v", metadata: this.freeForm() }),
    ];
  }

  #llm(): object {
    const file = { type: "file", file: this.text() };
    const messages = [
      { role: "system", content: this.text() },
      { role: "user", content: [{ type: "text", text: this.text() }, file] },
    ];
    const asked = { function: { name: "f", arguments: this.text() } };
    return {
      ...this.#common(),
      external_user_name: this.text(),
      agent: "bot",
      model: "m",
      provider: this.text(),
      input: { messages },
      output: { content: this.text(), tool_calls: [asked] },
    };
  }

  #tool(): object {
    const named = { tool_name: "t", external_user_name: this.text() };
    return { ...this.#common(), ...named, arguments: this.freeForm(), result: this.text() };
  }

  #handoff(): object {
    const named = { from_agent: "bot", to_agent: "clerk", external_user_name: this.text() };
    return { ...this.#common(), ...named, reason: this.text() };
  }

  #log(): object {
    return { ...this.#common(), level: "info", message: this.text(), custom_object: this.freeForm() };
  }

  #traced(): Call[] {
    const asked = { ...this.names, input: { prompt: this.text() } };
    const answered = { ...asked, output: { choices: [{ message: { content: this.text() } }] } };
    const failed = { ...this.names, tool_name: "t", error: this.text(), result: this.freeForm() };
    const traces = [
      { type: "llm", ...this.#llm() },
      { type: "llm", ...this.#llm() },
      { type: "tool", ...this.#tool() },
      { type: "tool", ...failed },
      { type: "handoff", ...this.#handoff() },
      { type: "log", ...this.#log() },
    ];
    return [
      post("/traces/llm", this.#llm()),
      post("/traces/llm", answered),
      post("/traces/tool", this.#tool()),
      post("/traces/handoff", this.#handoff()),
      post("/traces/log", this.#log()),
      post("/traces/log", { ...this.#log(), session_id: undefined }),
      post("/traces/batch", { traces }),
    ];
  }

  #record(): object {
    return {
      ...this.#failed(),
      agent: "bot",
      msg: [
        { role: "user", content: this.text(), sender: this.text() },
        { role: "assistant", content: [{ text: this.text() }] },
      ],
      transfers: [{ from: "bot", to: "clerk", reason: this.text(), ticket: this.freeForm() }],
      attachments: [this.text(), { url: this.text() }],
      external_user_name: this.text(),
      user_whatsapp: this.text(),
      wam_id: this.text(),
      replied_whatsapp: this.text(),
      source: this.text(),
    };
  }

  #uploaded(): Call[] {
    const bare = { ...this.names, agent: "bot", msg: this.freeForm() };
    return [
      post("/records/upload", { records: [this.#record(), this.#record(), bare] }),
      post("/logs/upload", { logs: [this.#log(), this.#log()] }),
    ];
  }

  #ofOpenTelemetry(): Call[] {
    const whose = { "monkai.namespace": "shop", "session.id": "talk", "gen_ai.agent.name": "bot" };
    const traceId = randomBytes(16).toString("hex");
    const span = (more: object) => ({
      traceId,
      events: [{ name: this.text(), attributes: keyValues({ said: this.text() }) }],
      status: { code: 2, message: this.text() },
      ...more,
    });
    const chat = {
      ...whose,
      "gen_ai.operation.name": "chat",
      "gen_ai.input.messages": JSON.stringify([
        { role: "user", parts: [{ type: "text", content: this.text() }] },
      ]),
      "gen_ai.system_instructions": this.text(),
      own: this.text(),
    };
    const bare = { ...whose, "gen_ai.operation.name": "chat" };
    const tool = {
      ...whose,
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "t",
      "gen_ai.tool.call.arguments": JSON.stringify({ q: this.text() }),
      "gen_ai.tool.call.result": this.text(),
    };
    const told = {
      body: { kvlistValue: { values: keyValues({ content: this.text() }) } },
      eventName: "gen_ai.user.message",
    };
    const run = { id: `trace_${randomBytes(16).toString("hex")}`, workflow_name: "shop", group_id: "talk" };
    const data = [
      { object: "trace", ...run, metadata: this.freeForm() },
      {
        object: "trace.span",
        id: `span_${randomBytes(8).toString("hex")}`,
        trace_id: run.id,
        started_at: "2026-11-21T12:00:00Z",
        span_data: { type: "function", name: "t", input: this.text(), output: this.text() },
        error: { message: this.text(), data: this.freeForm() },
      },
    ];
    const resource = { "deployment.note": this.text() };
    return [
      post("/traces", traceOf(chat, span({ name: this.text(), spanId: SPAN_ID }), resource)),
      post("/traces", traceOf(bare, span({ name: this.text(), spanId: "00000000000000aa" }))),
      post("/traces", traceOf(tool, span({ spanId: "00000000000000bb" }))),
      post(
        "/traces",
        traceOf({ ...whose, note: this.text() }, span({ name: this.text(), spanId: "00000000000000cc" })),
      ),
      post("/logs", logOf(whose, { traceId, spanId: "00000000000000aa", ...told })),
      post("/logs", logOf({ ...whose, note: this.text() }, { body: { stringValue: this.text() } })),
      post("/traces/ingest", { data }),
    ];
  }

  #scores(): Call[] {
    const score = (value: unknown) => ({
      ...this.names,
      name: "helpful",
      value,
      comment: this.text(),
    });
    return [
      post("/scores", score(this.text())),
      post("/scores/batch", { scores: [score(this.text()), score(1)] }),
    ];
  }
}

/** The texts that the database holds of these, in whatever column of a tenant's rows and in whatever disguise. */
export async function heldTexts(sql: postgres.Sql, tenant: string, texts: string[]): Promise<string[]> {
  const [{ id } = {}] = await sql<{ id: string }[]>`select id from public.tenants where name = ${tenant}`;
  const tables = await sql<{ name: string }[]>`
    select pg_class.oid::regclass::text as name from pg_class
    where relnamespace in ('public'::regnamespace, 'internal'::regnamespace) and relkind in ('r', 'p', 'm')`;
  const lines: string[] = [];
  for (const { name } of tables) {
    const rows = await sql.unsafe(
      `select to_jsonb(one)::text as line from ${name} one
       where coalesce(to_jsonb(one) ->> 'tenant_id', '${id}') = '${id}'`,
    );
    lines.push(...rows.map(({ line }) => line));
  }
  const whole = lines.join("\n");
  return texts.filter((text) => disguisesOf(text).some((form) => whole.includes(form)));
}

/** As it is, in JSON's escapes, and in JSON within JSON: each also in hex, and in base64 but for the digits that depend on what is around. */
function disguisesOf(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const escaped = json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const forms = [text, json, escaped].flatMap((form) => [form, JSON.stringify(form).slice(1, -1)]);
  return forms.flatMap((form) => {
    const bytes = Buffer.from(form);
    const base64 = [0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString("base64")
        .slice(Math.ceil((shift * 8) / 6), -4),
    );
    const base64Url = base64.map((digits) => digits.replaceAll("+", "-").replaceAll("/", "_"));
    return [form, bytes.toString("hex"), ...base64, ...base64Url];
  });
}
