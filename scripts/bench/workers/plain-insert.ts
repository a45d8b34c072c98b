// What one would do without this API, but behind a Worker of one's own: it stores the row and does nothing else.
import { Hono } from "hono";
import type { LlmStep } from "../../../functions/monkai-api/schemas/steps.ts";
import { rowOfStep } from "../samples.ts";
import { type Bindings, clientOf } from "./client.ts";

/** `bare_rows` has no foreign keys. */
const PLACE = { tenant_id: "0b8a1f5e-5d5c-4d0e-9a53-0c7de4c3a4f1", namespace_id: 1 };

const app = new Hono<{ Bindings: Bindings }>();

app.post("/v1/traces/llm", async (c) => {
  const row = rowOfStep(PLACE, await c.req.json<LlmStep>());
  const { error } = await clientOf(c.env).from("bare_rows").insert(row);
  return error ? c.json({ error: error.message }, 500) : c.json({ success: true }, 200);
});

export default app;
