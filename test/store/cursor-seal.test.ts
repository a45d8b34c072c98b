import { expect, it } from "vitest";
import { CursorSeal } from "../../functions/monkai-api/store/cursor-seal.ts";

const position = { occurred_at: "2025-10-29T10:00:00.000Z", id: "0b0b7c5e-4c5d-4b8e-9a57-000000000007" };

it("a cursor opens to its position with the same secret, for the same list, and not otherwise", async () => {
  const cursor = await new CursorSeal("secret").seal("records", position);
  expect(await new CursorSeal("secret").open("records", cursor)).toEqual(position);
  await expect(new CursorSeal("other").open("records", cursor)).rejects.toMatchObject({ status: 400 });
  await expect(new CursorSeal("secret").open("logs", cursor)).rejects.toMatchObject({ status: 400 });
});

it("the same position makes the same cursor, and no other does", async () => {
  const seal = new CursorSeal("secret");
  const cursor = await seal.seal("records", position);
  expect(await seal.seal("records", { ...position })).toBe(cursor);
  expect(await seal.seal("logs", position)).not.toBe(cursor);
  const next = await seal.seal("records", { ...position, id: "0b0b7c5e-4c5d-4b8e-9a57-000000000008" });
  expect(next.slice(0, 16)).not.toBe(cursor.slice(0, 16));
});
