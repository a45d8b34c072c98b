import { readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { SOURCE } from "../../scripts/model-prices/source.ts";
import { parseCurl } from "../support/curl.ts";
import { ROOT } from "../support/dev.ts";
import { newToken } from "../support/tenant.ts";

const page = readFileSync(`${ROOT}/docs/costs.md`, "utf8");
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => (block as string).trim());

it("docs/costs.md: its two curl lines change one price, and the rest stays", async () => {
  const { token } = await newToken();
  const send = async (line = "", file?: string) => {
    const { url, init } = parseCurl(line, { MONKAI_TRACER_TOKEN: token });
    const here = url.replace("http://127.0.0.1:8787", inject("workerdUrl"));
    const response = await fetch(here, init.body === "@prices.json" ? { ...init, body: file } : init);
    return { status: response.status, body: await response.json() };
  };
  const [get, put, ...more] = commands;
  expect([more, put]).toEqual([[], expect.stringContaining("-d @prices.json")]);
  const { version, ...others } = (await send(get)).body;
  const added = { model: "gpt-4o", input: "2" };
  const file = JSON.stringify({ ...others, prices: [...others.prices, added], expected_version: version });
  const { status, body } = await send(put, file);
  expect([status, body.version]).toEqual([200, 1]);
  expect(body.prices.slice(0, -1)).toEqual(others.prices);
  expect(body.prices.at(-1)).toMatchObject(added);
  expect((await send(put, file)).status).toBe(409);
});

it("docs/costs.md says which version of the source the known prices are from, and its day", async () => {
  const { token } = await newToken();
  const headers = { Authorization: `Bearer ${token}` };
  const { source, as_of } = await (
    await fetch(`${inject("workerdUrl")}/v1/model-prices`, { headers })
  ).json();
  expect([source, as_of]).toEqual([`${SOURCE.name} ${SOURCE.version}`, SOURCE.as_of]);
  expect(page).toContain(`${SOURCE.version} of ${SOURCE.as_of}`);
});
