import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, it } from "vitest";
import { writeAnswer, writeStatus } from "../../../functions/monkai-api/domain/otlp/wire.ts";

/** The number and the text that a message of protobuf holds. */
function read(bytes: Uint8Array): { number?: number; text?: string } {
  const reader = new BinaryReader(bytes);
  const found: { number?: number; text?: string } = {};
  while (reader.pos < reader.len) {
    if (reader.tag()[0] === 1) found.number = reader.int32();
    else found.text = reader.string();
  }
  return found;
}

const long = "ü".repeat(300);

it("a request that was taken whole is answered with nothing", () => {
  expect(writeAnswer("json", "traces")).toBe("{}");
  expect(writeAnswer("protobuf", "logs")).toEqual(new Uint8Array());
});

it("JSON says how many spans or log records were rejected, and why", () => {
  const partial = { rejected: 3, message: "no name" };
  expect(JSON.parse(writeAnswer("json", "traces", partial) as string)).toEqual({
    partialSuccess: { rejectedSpans: "3", errorMessage: "no name" },
  });
  expect(JSON.parse(writeAnswer("json", "logs", partial) as string)).toEqual({
    partialSuccess: { rejectedLogRecords: "3", errorMessage: "no name" },
  });
});

it.each([
  [3, "no name"],
  [0, "only a warning"],
  [100_000, long],
])("protobuf says that %d were rejected", (rejected, message) => {
  const answer = new BinaryReader(writeAnswer("protobuf", "traces", { rejected, message }) as Uint8Array);
  expect(answer.tag()).toEqual([1, 2]);
  expect(read(answer.bytes())).toEqual({ ...(rejected === 0 ? {} : { number: rejected }), text: message });
  expect(answer.pos).toBe(answer.len);
});

it("a refusal is google.rpc.Status in both forms", () => {
  const status = { code: 3, message: long };
  expect(JSON.parse(writeStatus("json", status) as string)).toEqual(status);
  expect(read(writeStatus("protobuf", status) as Uint8Array)).toEqual({ number: 3, text: long });
});
