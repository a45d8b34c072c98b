import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { entryFor } from "../../scripts/model-prices/patterns.ts";
import { callAll, newCaller, otherToken, waitUntilBlocked } from "../support/database.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

type Entry = {
  model: string;
  valid_from?: string;
  input?: string;
  cached_input?: string;
  output?: string;
  currency?: string;
};

/** A tenant with these prices; with the known ones, where there are none. */
async function newTenant(...prices: Entry[]) {
  const caller = await newCaller();
  const [{ tenant_id }] = await callAll(sql, "get_model_prices", [caller]);
  if (prices.length > 0) await callAll(sql, "put_model_prices", [{ ...caller, prices }]);
  return { id: tenant_id as string, caller };
}

/** What the models cost: [model, valid_from, valid_until, input, cached_input, output], by name and day. */
async function pricesOf(tenantId: string, ...models: string[]) {
  const rows = await sql`
    select model, valid_from::text, valid_until::text, input::text, cached_input::text, output::text
    from internal.prices_of_models(${tenantId}, ${models}) order by model, valid_from`;
  return rows.map((row) => Object.values(row));
}

/** The price of the input of one model, for all time. */
async function inputOf(tenantId: string, model: string) {
  const [row, ...more] = await pricesOf(tenantId, model);
  expect(more).toEqual([]);
  return row?.[3];
}

const ALWAYS = ["-infinity", "infinity"];

describe("internal.prices_of_models", () => {
  it("the most specific pattern counts: most characters, then no `*`, then the first by name", async () => {
    const { id } = await newTenant(
      { model: "*", input: "1" },
      { model: "gpt-4o*", input: "2" },
      { model: "gpt-4o-mini*", input: "3" },
      { model: "gpt-4o-mini", input: "4" },
      { model: "*4o-mini-b", input: "5" },
      { model: "a*b", input: "6" },
      { model: "*ab", input: "7" },
    );
    expect(await inputOf(id, "claude")).toBe("1");
    expect(await inputOf(id, "gpt-4o-2024-08-06")).toBe("2");
    expect(await inputOf(id, "gpt-4o-mini-2024-07-18")).toBe("3");
    expect(await inputOf(id, "gpt-4o-mini")).toBe("4");
    expect(await inputOf(id, "gpt-4o-mini-b")).toBe("3"); // 11 characters against 10
    expect(await inputOf(id, "ab")).toBe("7");
  });

  it("case does not count, nor do the characters that mean something to LIKE", async () => {
    const { id } = await newTenant(
      { model: "My_Model", input: "1" },
      { model: "100%*", input: "2" },
      { model: "back\\slash*", input: "3" },
      { model: "ÇA.*", input: "4" },
    );
    expect(await inputOf(id, "mY_mODEL")).toBe("1");
    expect(await inputOf(id, "my-model")).toBeUndefined();
    expect(await inputOf(id, "100% sure")).toBe("2");
    expect(await inputOf(id, "1000")).toBeUndefined();
    expect(await inputOf(id, "BACK\\slash 1")).toBe("3");
    expect(await inputOf(id, "backslash")).toBeUndefined();
    expect(await inputOf(id, "ça.1")).toBe("4");
    expect(await inputOf(id, "çax1")).toBeUndefined();
  });

  it("on each day the best of those that are valid by then counts, in ranges that do not overlap", async () => {
    const { id } = await newTenant(
      { model: "m*", valid_from: "2026-03-01", input: "3" },
      { model: "m*", input: "1", cached_input: "0.5" },
      { model: "m*", valid_from: "2026-05-01", input: "5" },
      { model: "m-1", valid_from: "2026-04-01", input: "4", output: "8" },
      { model: "late", valid_from: "2026-04-01", output: "2" },
    );
    expect(await pricesOf(id, "m-1", "m-2", "late", "none", "m-1")).toEqual([
      ["late", "2026-04-01", "infinity", "0", "0", "2"],
      ["m-1", "-infinity", "2026-03-01", "1", "0.5", "0"],
      ["m-1", "2026-03-01", "2026-04-01", "3", "3", "0"],
      ["m-1", "2026-04-01", "infinity", "4", "4", "8"],
      ["m-2", "-infinity", "2026-03-01", "1", "0.5", "0"],
      ["m-2", "2026-03-01", "2026-05-01", "3", "3", "0"],
      ["m-2", "2026-05-01", "infinity", "5", "5", "0"],
    ]);
  });

  it("without prices of its own a tenant has those that are known", async () => {
    const { id } = await newTenant();
    const known: [string, ...string[]][] = [
      ["gpt-4o", "2.5", "1.25", "10"],
      ["gpt-4o-mini", "0.15", "0.075", "0.6"],
      ["gpt-4o-2024-08-06", "2.5", "1.25", "10"],
      ["GPT-4o-2024-05-13", "5", "5", "15"],
      ["openai/gpt-4o", "2.5", "1.25", "10"],
      ["ft:gpt-4o-2024-08-06:acme::1", "3.75", "3.75", "15"],
      ["claude-sonnet-4-5-20250929", "3", "0.3", "15"],
      ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", "0.33", "16.5"],
      ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", "3", "0.3", "15"],
      ["gemini-2.5-flash", "0.3", "0.03", "2.5"],
      ["models/gemini-2.5-pro", "1.25", "0.125", "10"],
      ["text-embedding-3-small", "0.02", "0.02", "0"],
    ];
    const unknown = ["gpt-4o-audio-preview", "gemini-2.5-flash-image", "gpt-oss-120b", "demo1", "mine", ""];
    expect(await pricesOf(id, ...known.map(([model]) => model), ...unknown)).toEqual(
      known
        .map(([model, ...prices]) => [model, ...ALWAYS, ...prices])
        .sort(([one = ""], [other = ""]) => (one < other ? -1 : 1)),
    );
    expect(await pricesOf(id, "o3")).toEqual([
      ["o3", "-infinity", "2025-06-10", "10", "0.5", "40"],
      ["o3", "2025-06-10", "infinity", "2", "0.5", "8"],
    ]);
  });

  it("of all known patterns the same one counts as for the script that checks them", async () => {
    const { id } = await newTenant();
    const rows = await sql`
      select model, array_agg(input::text order by valid_from nulls first) as inputs
      from internal.known_model_prices() group by model`;
    const entries = rows.map(({ model, inputs }) => ({ model, prices: inputs }));
    const names = [...new Set(entries.map(({ model }) => model.replaceAll("*", "")))].sort();
    const found = await sql`
      select model, array_agg(input::text order by valid_from) as inputs
      from internal.prices_of_models(${id}, ${names}) group by model order by model collate "C"`;
    expect([...found]).toEqual(names.map((model) => ({ model, inputs: entryFor(entries, model)?.prices })));
  });

  it("an empty list of its own is no price for anything, and the tenant's own alone", async () => {
    const [empty, other] = [await newTenant(), await newTenant()];
    await callAll(sql, "put_model_prices", [{ ...empty.caller, prices: [] }]);
    expect(await pricesOf(empty.id, "gpt-4o")).toEqual([]);
    expect(await pricesOf(other.id, "gpt-4o")).toHaveLength(1);
  });
});

describe("costs", () => {
  it("the currency is that of the prices, and USD where there are none", async () => {
    const currencyOf = async (id: string) =>
      (await sql`select internal.currency_of_prices(${id}) as currency`)[0]?.currency;
    expect(await currencyOf((await newTenant()).id)).toBe("USD");
    expect(await currencyOf((await newTenant({ model: "m", input: "1", currency: "BRL" })).id)).toBe("BRL");
  });

  it.each([
    ["tokens of each kind at their price", [1000, 200, 50], "0.00275", [2.5, 1.25, 10]],
    ["none are told", [null, null, null], "0", [2.5, 1.25, 10]],
    ["output alone", [null, null, 1], "0.00001", [2.5, 1.25, 10]],
    ["no more are cached than there are", [10, 500, null], "0.0000125", [2.5, 1.25, 10]],
    ["cached ones of an input that is not told", [null, 500, null], "0", [2.5, 1.25, 10]],
    ["a whole amount", [3_000_000, 0, 0], "12", [4, 1, 1]],
    [
      "not a digit is lost",
      [999_999_999_999, 0, 1],
      "123456789013209876.543975308641988",
      ["123456789012.345679012", 0, "987654320987.654321"],
    ],
  ] as [string, (number | null)[], string, (number | string)[]][])("%s", async (_, tokens, cost, prices) => {
    const [input, cached, output] = tokens as number[];
    const [a, b, c] = prices as string[];
    const [row] = await sql`
      select internal.amount_text(internal.cost_of_tokens(
        ${input ?? null}, ${cached ?? null}, ${output ?? null}, ${a as string}, ${b as string}, ${c as string})) as cost`;
    expect(row?.cost).toBe(cost);
  });
});

it("of two changes that expect the same version, the later one waits for the first and is refused", async () => {
  const { caller } = await newTenant();
  const token_hash = await otherToken(sql, caller);
  const put = { ...caller, prices: [], expected_version: 0 };
  let second: ReturnType<typeof callAll> | undefined;
  await sql.begin(async (first) => {
    await first`select public.put_model_prices(${first.json({ ...put, token_hash })})`;
    second = callAll(sql, "put_model_prices", [put]);
    await waitUntilBlocked(sql, "put_model_prices");
  });
  const [{ error }] = (await second) ?? [];
  expect(error).toMatchObject({ code: "bad_request", status: 409, version: 1 });
});
