import { describe, expect, it } from "vitest";
import type * as z from "zod";
import type { JsonObject } from "../../functions/monkai-api/domain/json.ts";
import { toConversationRecord, toLogEntry } from "../../functions/monkai-api/domain/read-back.ts";
import { logEntryStep, messageStep } from "../../functions/monkai-api/domain/sent-steps.ts";
import type { NewStep, StepRow } from "../../functions/monkai-api/domain/step.ts";
import { TRACED_KINDS } from "../../functions/monkai-api/routes/traces.ts";
import { requestBody } from "../../functions/monkai-api/schemas/common.ts";
import { LogEntry, LogUpload } from "../../functions/monkai-api/schemas/logs.ts";
import { ConversationRecord, RecordUpload } from "../../functions/monkai-api/schemas/records.ts";
import { withAllFields } from "../support/all-fields.ts";
import { type Kind, keptContent, normalized, readContent } from "../support/kept-content.ts";
import { rowOf } from "../support/rows.ts";

// biome-ignore lint/suspicious/noExplicitAny: each kind has a body of its own
type ToStep = (sent: any) => NewStep;

const TRACED = Object.entries(TRACED_KINDS) as [Kind, { body: z.ZodType; toStep: ToStep }][];
const KINDS: [Kind, z.ZodType, ToStep][] = [
  ...TRACED.map(([kind, { body, toStep }]): [Kind, z.ZodType, ToStep] => [kind, body, toStep]),
  ["record", requestBody(RecordUpload), messageStep],
  ["logEntry", requestBody(LogUpload), logEntryStep],
];

/** The row that the database makes of a step: its columns as they are, and null where there is none. */
function rowMadeOf({ kind, ...step }: NewStep): StepRow {
  const { result: _, parent_trace_id: __, ...columns } = JSON.parse(JSON.stringify(step));
  return rowOf(kind, columns);
}

function readAs(row: StepRow): [JsonObject, string[]] {
  return row.kind === "log"
    ? [toLogEntry(row), Object.keys(LogEntry.shape)]
    : [toConversationRecord(row), Object.keys(ConversationRecord.shape)];
}

describe("every field that can be sent is read back, and is a column of the CSV", () => {
  it.each(KINDS)("%s", (kind, body, toStep) => {
    const sent = withAllFields(kind);
    const [read, columns] = readAs(rowMadeOf(toStep(body.parse(sent))));
    const wanted = keptContent(kind, sent);
    expect(normalized(readContent(read, wanted, kind))).toEqual(normalized(wanted));
    expect(Object.keys(read).filter((name) => !columns.includes(name))).toEqual([]);
  });
});
