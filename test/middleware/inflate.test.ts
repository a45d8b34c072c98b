import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished, vi } from "vitest";
import { inflated } from "../../functions/monkai-api/middleware/inflate.ts";
import { gzipBomb } from "../support/bomb.ts";

const MEBIBYTE = 1024 * 1024;
const packed = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));

it.each([0, 1, 16 * 1024, MEBIBYTE])("%d bytes come out as they went in", async (size) => {
  const bytes = new Uint8Array(randomBytes(size));
  const out = await inflated(packed(bytes), MEBIBYTE);
  expect(Buffer.compare(out, bytes)).toBe(0);
});

it("one byte more than the limit is 413", async () => {
  const bytes = new Uint8Array(MEBIBYTE);
  expect((await inflated(packed(bytes), MEBIBYTE)).length).toBe(MEBIBYTE);
  await expect(inflated(packed(bytes), MEBIBYTE - 1)).rejects.toMatchObject({
    code: "invalid_payload",
    status: 413,
  });
});

const good = packed(new Uint8Array(randomBytes(40_000)));

it.each([
  ["nothing", new Uint8Array()],
  ["another form", new TextEncoder().encode('{"resourceSpans":[]}')],
  ["a header alone", good.slice(0, 10)],
  ["a part", good.slice(0, 20_000)],
  ["all but the last byte", good.slice(0, -1)],
  ["a wrong checksum", new Uint8Array([...good.slice(0, -8), ...Array(8).fill(0)])],
])("%s is 400", async (_, bytes) => {
  await expect(inflated(bytes, MEBIBYTE)).rejects.toMatchObject({ code: "bad_request", status: 400 });
});

it("a bomb is 413", async () => {
  await expect(inflated(gzipBomb(2 * MEBIBYTE), MEBIBYTE)).rejects.toMatchObject({ status: 413 });
});

it("a runtime whose stream takes all that it is given gets no more of a bomb than it takes to know it", async () => {
  let given = 0;
  class Greedy extends TransformStream<Uint8Array, Uint8Array> {
    constructor() {
      const transform = (chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>) => {
        given += chunk.length;
        for (let part = 0; part < 256; part += 1) controller.enqueue(new Uint8Array(chunk.length * 4));
      };
      super({ transform }, undefined, new CountQueuingStrategy({ highWaterMark: Number.POSITIVE_INFINITY }));
    }
  }
  vi.stubGlobal("DecompressionStream", Greedy);
  onTestFinished(() => void vi.unstubAllGlobals());
  const bytes = new Uint8Array(10 * MEBIBYTE);
  await expect(inflated(bytes, 20 * MEBIBYTE)).rejects.toMatchObject({ status: 413 });
  expect(given).toBeLessThanOrEqual(64 * 1024);
});
