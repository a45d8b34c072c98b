import { expect } from "vitest";
import { newToken, revokeToken } from "../support/tenant.ts";
import { go, it, newPage, newTenant, rowsOf, sendStep, signIn, useBrowser } from "./support/browser.ts";

useBrowser();

it("a wrong, an expired and a revoked token are told apart", async () => {
  const expired = await newToken({ expires_at: new Date(Date.now() - 60_000).toISOString() });
  const revoked = await newToken();
  await revokeToken(revoked.id);
  const page = await newPage({ provokes: [401] });
  for (const [token, reason] of [
    ["tk_wrong", "This token is not known here."],
    [expired.token, "This token has expired."],
    [revoked.token, "This token was revoked."],
  ] as const) {
    await signIn(page, token);
    await page.getByRole("heading", { name: reason }).waitFor();
  }
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});

it("a right one, pasted with its Bearer, lists exactly its namespaces", async () => {
  const client = await newTenant();
  await sendStep(client, "mine");
  await sendStep(client, "hidden", { namespace: "secret" });
  const bound = await newToken({ tenant: client.tenant, namespaces: ["shop"] });
  const page = await newPage();
  await signIn(page, `Bearer ${bound.token}`);
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(await page.getByLabel("Namespace").locator("option").allTextContents()).toEqual(["All", "shop"]);
});

it("the token is in this tab's storage alone, and gone after the sign-out", async () => {
  const client = await newTenant();
  const page = await newPage({ token: client.token });
  await page.getByText("No sessions yet").waitFor();
  const stored = () =>
    page.evaluate(async () => ({
      session: JSON.stringify(sessionStorage),
      local: JSON.stringify(localStorage),
      cookie: document.cookie,
      databases: (await indexedDB.databases()).length,
    }));
  expect((await stored()).session).toContain(client.token);
  expect({ ...(await stored()), session: "" }).toEqual({
    session: "",
    local: "{}",
    cookie: "",
    databases: 0,
  });
  expect(page.url()).not.toContain(client.token);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Tracer token").waitFor();
  expect((await stored()).session).toBe("{}");
});

it("a token that is revoked meanwhile leads to the sign-in, and the place is kept", async () => {
  const client = await newTenant();
  await sendStep(client, "kept");
  const page = await newPage({ token: client.token, at: "#/sessions/kept", provokes: [401] });
  await page.getByRole("heading", { name: "kept" }).waitFor();
  await revokeToken(client.tokenId);
  await go(page, "#/sessions?agent=planner");
  await page.getByText("This tracer token was revoked.").waitFor();
  const other = await newToken({ tenant: client.tenant });
  await signIn(page, other.token);
  await expect.poll(() => rowsOf(page).count()).toBe(1);
  expect(page.url()).toContain("#/sessions?agent=planner");
});
