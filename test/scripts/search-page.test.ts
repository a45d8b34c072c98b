import { readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { parseCurl } from "../support/curl.ts";
import { ROOT } from "../support/dev.ts";
import { newToken } from "../support/tenant.ts";

const page = readFileSync(`${ROOT}/docs/search.md`, "utf8");

it("docs/search.md: its commands work, and the search finds what the page says", async () => {
  const { token } = await newToken();
  const commands = [...page.matchAll(/```sh\n(curl [^`]+)```/g)].map(([, command]) => command as string);
  const matches = [];
  for (const command of commands) {
    const { url, init } = parseCurl(command.trim(), { MONKAI_TRACER_TOKEN: token });
    const response = await fetch(url.replace("http://127.0.0.1:8787", inject("workerdUrl")), init);
    expect([command, response.status]).toEqual([command, 200]);
    matches.push((await response.json()).steps?.map(({ match }: { match: object }) => match));
  }
  const [, match = ""] = /```json\n([^`]+)```/.exec(page) ?? [];
  expect(matches).toEqual([undefined, [JSON.parse(match)], [JSON.parse(match)]]);
});

it("docs/search.md has every filter of the document", async () => {
  const { components } = await (await fetch(`${inject("workerdUrl")}/v1/openapi.json`)).json();
  const rows = page.match(/^\| `.*(?= \|$)/gm)?.join() ?? "";
  const filters = Object.keys(components.schemas.StepSearchFilters.properties);
  const described = filters.filter((name) => !["limit", "cursor"].includes(name));
  expect(described.filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
});
