import postgres from "postgres";
import { afterAll, expect, inject, it } from "vitest";
import { newContentKey } from "../../functions/monkai-api/domain/content-keys.ts";
import { cipherKey } from "../../functions/monkai-api/store/sealing/cipher.ts";
import { cipherSeal } from "../../functions/monkai-api/store/sealing/seal.ts";
import { appInProcess } from "../support/app.ts";
import { heldTexts } from "../support/planted.ts";
import { plant, unread } from "../support/planted-api.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const encrypting = (contentKeys?: string) =>
  appInProcess(inject("restUrl"), inject("serviceKey"), { contentKeys });

it("the database of an API that encrypts holds nothing that was said, in no column and no disguise; reads have all of it", async () => {
  const { client, planted } = await plant(encrypting(newContentKey("first")).api);
  expect(planted.texts.length).toBeGreaterThan(200);
  expect(await unread(client, planted.texts)).toEqual([]);
  expect(await heldTexts(sql, client.tenant, planted.texts)).toEqual([]);
});

it("that of one that does not encrypt holds all of it: the search for it finds what is there", async () => {
  const { client, planted } = await plant(encrypting().api);
  expect(await unread(client, planted.texts)).toEqual([]);
  expect(await heldTexts(sql, client.tenant, planted.texts)).toEqual(planted.texts);
});

it("what is sealed opens for the same tenant, use and id alone, be the key the same", async () => {
  const key = await cipherKey(new Uint8Array(32));
  const [seal, others] = [cipherSeal(key, "tenant", 1), cipherSeal(key, "other", 1)];
  const sealed = await seal.seal("content", "id", { said: "Olá" });
  expect(await seal.open("content", "id", sealed)).toEqual({ said: "Olá" });
  for (const open of [
    () => others.open("content", "id", sealed),
    () => seal.open("summary", "id", sealed),
    () => seal.open("content", "other", sealed),
    () => seal.open("content", "id", `${sealed.slice(0, -8)}AAAAAAAA`),
    () => seal.open("content", "id", "1."),
    () => seal.open("content", "id", "no base64"),
  ])
    await expect(open()).rejects.toMatchObject({ code: "encryption_error" });
});
