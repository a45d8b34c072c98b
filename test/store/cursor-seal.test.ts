import { expect, it } from "vitest";
import { CursorSeal } from "../../functions/monkai-api/store/cursor-seal.ts";

const position = { occurred_at: "2025-10-29T10:00:00.000Z", id: "0b0b7c5e-4c5d-4b8e-9a57-000000000007" };

it("a cursor opens to its position with the same secret, for the same list, and not otherwise", async () => {
  const cursor = await new CursorSeal("secret").seal("records", position);
  expect(await new CursorSeal("secret").open("records", cursor)).toEqual(position);
  await expect(new CursorSeal("other").open("records", cursor)).rejects.toMatchObject({ status: 400 });
  await expect(new CursorSeal("secret").open("logs", cursor)).rejects.toMatchObject({ status: 400 });
});
