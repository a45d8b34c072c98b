import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, it } from "vitest";
import { writeAnswer, writeStatus } from "../../../functions/monkai-api/domain/otlp/wire.ts";
import { numberAndText } from "../../support/otlp-protobuf.ts";

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
  expect(numberAndText(answer.bytes())).toEqual({
    ...(rejected === 0 ? {} : { number: rejected }),
    text: message,
  });
  expect(answer.pos).toBe(answer.len);
});

it("a refusal is google.rpc.Status in both forms", () => {
  const status = { code: 3, message: long };
  expect(JSON.parse(writeStatus("json", status) as string)).toEqual(status);
  expect(numberAndText(writeStatus("protobuf", status) as Uint8Array)).toEqual({ number: 3, text: long });
});
