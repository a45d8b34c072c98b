import { readTraces } from "../../functions/monkai-api/domain/otlp/wire.ts";
import type { Span } from "../../functions/monkai-api/domain/otlp/wire-messages.ts";
import type { RecordedRequest } from "./otlp-recordings.ts";
import { bytesOf, keyValues } from "./otlp-steps.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** The same spans as OTLP's JSON, each in a request of its own. Log records stay together: equal ones are told apart by number. */
export function oneSpanEach(request: RecordedRequest): RecordedRequest[] {
  const { path, headers, body } = request;
  if (path.endsWith("/ingest")) {
    const { data } = JSON.parse(new TextDecoder().decode(body)) as { data: unknown[] };
    return data.map((item) => inJson(path, { data: [item] }));
  }
  if (!path.endsWith("/traces")) return [request];
  const form = headers["content-type"]?.includes("json") ? "json" : "protobuf";
  return readTraces(body, form).flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) =>
        inJson(path, {
          resourceSpans: [
            {
              resource: withValues(resource),
              scopeSpans: [{ scope: withValues(scope), spans: [spanOf(span)] }],
            },
          ],
        }),
      ),
    ),
  );
}

function inJson(path: string, body: object): RecordedRequest {
  const sent = bytesOf(
    JSON.stringify(body, (_, value) => (typeof value === "bigint" ? String(value) : value)),
  );
  return { path, headers: JSON_TYPE, sent, body: sent };
}

function spanOf(span: Span): object {
  return { ...withValues(span), events: span.events.map(withValues), links: span.links.map(withValues) };
}

interface Attributed {
  attributes: [string, unknown][];
}

function withValues<Part extends Attributed>(part: Part | undefined): object | undefined {
  return part && { ...part, attributes: keyValues(Object.fromEntries(part.attributes)) };
}
