import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";

const PATH = "/v1/model-prices";
const NONE = { valid_from: null, input: null, cached_input: null, output: null, currency: "USD" };
const PRICES = [
  { model: "gpt-4o*", valid_from: "2026-01-01", input: "2.50", cached_input: "1.25", output: "10.00" },
  { model: "gpt-4o*", input: 0.000_000_1, output: 3 },
  { model: "GPT-4o-mini", input: "0.15", cached_input: null, output: null, valid_from: null },
  { model: "dear", output: "999999999999.999999999", currency: "USD" },
];
const READ = [
  { ...NONE, ...PRICES[0] },
  { ...NONE, model: "gpt-4o*", input: "0.0000001", output: "3" },
  { ...NONE, model: "GPT-4o-mini", input: "0.15" },
  { ...NONE, ...PRICES[3] },
];
const PRICE = { model: "m", input: "1" };

export function modelPrices(api: Api): void {
  describe("GET and PUT /model-prices", () => {
    it("are the known ones at version 0, with where they are from; each PUT raises the version and replaces all", async () => {
      const client = await newClient(api);
      const { status, body } = await client.get(PATH);
      expect([status, body.version]).toEqual([200, 0]);
      expect([body.source, body.as_of]).toEqual([
        expect.stringMatching(/^@pydantic\/genai-prices \d/),
        expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
      ]);
      expect(body.prices.length).toBeGreaterThan(300);
      expect(body.prices).toContainEqual({
        ...NONE,
        model: "*gpt-4o",
        input: "2.5",
        cached_input: "1.25",
        output: "10",
      });
      const put = await client.put(PATH, { prices: PRICES });
      expect([put.status, put.body]).toEqual([200, { version: 1, prices: READ }]);
      expect((await client.get(PATH)).body).toEqual(put.body);
      expect((await client.put(PATH, { prices: [] })).body).toEqual({ version: 2, prices: [] });
    });

    it("what GET answers can be changed and PUT as it is", async () => {
      const client = await newClient(api);
      const { version, ...known } = (await client.get(PATH)).body;
      known.prices[0].input = "7";
      const put = await client.put(PATH, { ...known, expected_version: version });
      expect([put.status, put.body]).toEqual([200, { version: 1, prices: known.prices }]);
    });

    it("a stale expected_version is 409 and changes nothing; of five that expect the same one, one is taken", async () => {
      const client = await newClient(api);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => client.put(PATH, { prices: PRICES, expected_version: 0 })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(4).fill(409)]);
      const stale = await client.put(PATH, { prices: [], expected_version: 0 });
      expect([stale.status, stale.body.error.code, stale.body.version]).toEqual([409, "bad_request", 1]);
      expect((await client.get(PATH)).body).toEqual({ version: 1, prices: READ });
    });

    const first = (price: object) => ({ prices: [price] });
    it.each([
      ["no prices", {}, "missing_field", ["prices"]],
      ["no model", first({ input: "1" }), "missing_field", ["prices", 0, "model"]],
      ["an empty model", first({ ...PRICE, model: "" }), "invalid_payload", ["prices", 0, "model"]],
      [
        "a long model",
        first({ ...PRICE, model: "m".repeat(257) }),
        "invalid_payload",
        ["prices", 0, "model"],
      ],
      ["neither input nor output", first({ model: "m" }), "missing_field", ["prices", 0, "input"]],
      ...[-1, "-1", "1e3", "1,50", ".5", "", "1000000000000", "0.0000000001", 1e21, 1e-10, true].map(
        (input): [string, object, string, unknown[]] => [
          `the amount ${JSON.stringify(input)}`,
          first({ model: "m", input }),
          "invalid_payload",
          ["prices", 0, "input"],
        ],
      ),
      ...["2026-02-30", "2026-1-1", "0000-01-01", "2026-01-01T00:00:00Z", "today", 2026].map(
        (valid_from): [string, object, string, unknown[]] => [
          `the day ${valid_from}`,
          first({ ...PRICE, valid_from }),
          "invalid_payload",
          ["prices", 0, "valid_from"],
        ],
      ),
      [
        "a currency that is none",
        first({ ...PRICE, currency: "usd" }),
        "invalid_payload",
        ["prices", 0, "currency"],
      ],
      [
        "two currencies",
        { prices: [PRICE, { ...PRICE, model: "n", currency: "EUR" }] },
        "invalid_payload",
        ["prices", 1, "currency"],
      ],
      [
        "the same pattern and day twice",
        { prices: [PRICE, { ...PRICE, valid_from: "2026-01-01" }, { ...PRICE, model: "M" }] },
        "invalid_payload",
        ["prices", 2],
      ],
      ["a misspelt member", first({ ...PRICE, ouput: "1" }), "invalid_payload", ["prices", 0]],
      [
        "more than 2,000",
        { prices: Array.from({ length: 2_001 }, (_, number) => ({ ...PRICE, model: `m${number}` })) },
        "invalid_payload",
        ["prices"],
      ],
      [
        "a negative expected_version",
        { ...first(PRICE), expected_version: -1 },
        "invalid_payload",
        ["expected_version"],
      ],
    ])("%s is 400 with an issue of path and message, and changes nothing", async (_, body, code, path) => {
      const client = await newClient(api);
      const answer = await client.put(PATH, body);
      expect([answer.status, answer.body.error.code]).toEqual([400, code]);
      expect(answer.body.issues).toEqual([{ path, message: expect.any(String) }]);
      expect((await client.get(PATH)).body.version).toBe(0);
    });

    it("prices of two currencies are refused with the reason, and where", async () => {
      const client = await newClient(api);
      const { body } = await client.put(PATH, { prices: [PRICE, { ...PRICE, model: "n", currency: "EUR" }] });
      expect(body.error.message).toBe(
        "prices[1].currency: must be USD, as in prices[0]: all prices of a tenant have one currency",
      );
    });

    it("2,000 prices with long patterns are taken, in their order", async () => {
      const client = await newClient(api);
      const prices = Array.from({ length: 2_000 }, (_, number) => ({
        ...PRICE,
        model: `${"m".repeat(200)}${number}*`,
      }));
      const { status, body } = await client.put(PATH, { prices });
      expect([status, body.prices.length]).toEqual([200, 2_000]);
      expect(body.prices.map(({ model }: { model: string }) => model)).toEqual(
        prices.map(({ model }) => model),
      );
    });

    it("are the tenant's own; a token bound to namespaces reads them, and may not change them: 403", async () => {
      const client = await newClient(api);
      expect((await client.put(PATH, { prices: PRICES })).status).toBe(200);
      expect((await (await newClient(api)).get(PATH)).body.version).toBe(0);
      const bound = await newClient(api, { tenant: client.tenant, namespaces: ["n"] });
      expect((await bound.get(PATH)).body).toEqual({ version: 1, prices: READ });
      const answer = await bound.put(PATH, { prices: [] });
      expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
      expect((await client.get(PATH)).body.version).toBe(1);
    });
  });
}
