import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ENUMS, MESSAGES } from "../../functions/monkai-api/domain/otlp/wire-messages.ts";
import { readProto } from "../../scripts/otlp-proto/read-proto.ts";

const FOLDER = new URL("../../functions/monkai-api/domain/otlp/proto/opentelemetry/proto/", import.meta.url);
const FILES = ["common", "resource", "trace", "logs"].map((name) => `${name}/v1/${name}.proto`);

it("wire-messages.ts has the fields and enums that OpenTelemetry's files declare", () => {
  const { messages, enums } = readProto(FILES.map((file) => readFileSync(new URL(file, FOLDER), "utf8")));
  const declared = Object.keys(MESSAGES).map((name) =>
    messages.get(name)?.map(({ number, type, isList }) => [number, type.split(".").at(-1), isList]),
  );
  expect(declared).toEqual(
    Object.values(MESSAGES).map((fields) => fields.map(([number, , type, isList]) => [number, type, isList])),
  );
  expect(Object.keys(ENUMS).map((name) => enums.get(name)?.map(([text]) => text))).toEqual(
    Object.values(ENUMS),
  );
});

it("a file that says what we do not read is refused", () => {
  expect(() => readProto(["message A { map<string, string> b = 1; }"])).toThrow();
  expect(() => readProto(["message A { string b = one; }"])).toThrow("The field b has no number.");
});
