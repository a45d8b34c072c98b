// The contract as one would write it first: supabase-js, one call after another. What it knows beforehand is its namespace.
import { hashTracerToken } from "../../../functions/monkai-api/domain/tracer-token.ts";
import type { LlmStep } from "../../../functions/monkai-api/schemas/steps.ts";
import { rowOfStep } from "../samples.ts";
import { clientOf, type Project } from "./project.ts";

const LIMIT = 2 ** 31 - 1;

export default {
  async fetch(request: Request, project: Project): Promise<Response> {
    const supabase = clientOf(project);
    const bearer = request.headers.get("Authorization")?.slice("Bearer ".length) ?? "";
    const { data: token } = await supabase
      .from("tracer_tokens")
      .select("id, tenant_id, active, expires_at")
      .eq("token_hash", await hashTracerToken(bearer))
      .maybeSingle();
    if (!token?.active) return refusal(401, "This tracer token is not known.");

    const counted = await supabase.rpc("monkai_increment_rate_limit", {
      token_id: token.id,
      bucket: "traces",
    });
    if (counted.error || counted.data > LIMIT) return refusal(429, "The limit is used up.");

    const { tenant_id } = token;
    const key = request.headers.get("Idempotency-Key");
    const claim = await supabase
      .from("monkai_idempotency_keys")
      .insert({ tenant_id, key, request_hash: "", request_id: crypto.randomUUID() });
    if (claim.error) return refusal(409, "This Idempotency-Key is in use.");

    const step: LlmStep = await request.json();
    const namespace_id = Number(project.NAMESPACE_ID);
    const session = await supabase.from("sessions").upsert({
      tenant_id,
      id: step.session_id,
      namespace_id,
      last_activity_at: new Date().toISOString(),
    });
    if (session.error) return refusal(500, session.error.message);

    const row = rowOfStep({ tenant_id, namespace_id }, step);
    const inserted = await supabase.from("bare_rows").insert(row);
    if (inserted.error) return refusal(500, inserted.error.message);

    const response = { success: true, id: row.id };
    const remembered = await supabase
      .from("monkai_idempotency_keys")
      .update({ response })
      .match({ tenant_id, key });
    if (remembered.error) return refusal(500, remembered.error.message);
    return Response.json(response);
  },
};

function refusal(status: number, message: string): Response {
  return Response.json({ error: message }, { status });
}
