import fc from "fast-check";
import postgres from "postgres";
import { afterAll, expect, inject, it } from "vitest";
import type { JsonObject } from "../../functions/monkai-api/domain/json.ts";
import { firstWords, stepPreview } from "../../functions/monkai-api/domain/preview.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const word = fc.oneof(
  fc.constantFrom(
    "Olá",
    "said",
    "💬 emoji",
    "  two  spaces ",
    "line\nline\tend",
    '"quoted" \\',
    "",
    "type",
    "calls",
  ),
  fc.string({ unit: fc.constantFrom("a", "é", "語", "💬", " ", "\n"), maxLength: 1300 }),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e25, max: 1e25 }),
  fc.constantFrom(1e21, 1.5e-7, -2.25e22, 0.1, 1e-9, -0),
);
const tools = fc.array(
  fc.oneof(
    fc.record({ function: fc.record({ name: fc.oneof(word, number) }) }),
    fc.constantFrom({}, null, "x"),
  ),
  { maxLength: 3 },
);
const type = fc.constantFrom("text", "input_text", "output_text", "message", "image", "tool_use", null);
const members = [
  "content",
  "text",
  "messages",
  "message",
  "choices",
  "parts",
  "prompt",
  "bb",
  "a",
  "role",
  "ç",
];

/** Values of the shapes that inputs and outputs of models have, and of others. */
const { said } = fc.letrec((tie) => ({
  said: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    word,
    number,
    fc.constantFrom(null, true, false),
    fc.array(tie("said"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...members), tie("said"), { maxKeys: 4 }),
    fc.record({ type, text: tie("said") }, { requiredKeys: ["type"] }),
    fc.record(
      { tool_calls: tools, content: fc.constantFrom(null, undefined) },
      { requiredKeys: ["tool_calls"] },
    ),
  ),
}));
const KINDS = ["llm", "tool", "handoff", "message", "log", "agent", "span"];
const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  name: fc.option(word, { nil: undefined }),
  content: fc.dictionary(
    fc.constantFrom("input", "output", "result", "arguments", "msg", "message", "other"),
    said as fc.Arbitrary<unknown>,
  ) as fc.Arbitrary<JsonObject>,
});

it("the preview that the API makes of what it encrypts is the one that the database would make of it", async () => {
  const steps = fc.sample(step, { numRuns: 4_000, seed: 20_261_122 });
  const made = await sql<{ preview: string | null; first: string | null }[]>`
    select internal.step_preview(item.kind, item.name, item.content) as preview,
           internal.step_preview('llm', null, jsonb_build_object('input', item.content -> 'input')) as first
    from jsonb_array_elements(${sql.json(steps as never)}) with ordinality as given (value, place)
    cross join lateral jsonb_to_record(given.value) as item (kind text, name text, content jsonb)
    order by given.place`;
  for (const [place, { kind, name, content }] of steps.entries()) {
    const sent = JSON.parse(JSON.stringify(content));
    expect([content, stepPreview(kind, name, sent)]).toEqual([content, made[place]?.preview]);
    expect([content, firstWords(sent)]).toEqual([content, made[place]?.first]);
  }
  expect(made.filter(({ preview }) => preview !== null).length).toBeGreaterThan(1_000);
});
