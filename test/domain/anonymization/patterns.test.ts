import { describe, expect, inject, it } from "vitest";
import { appInProcess } from "../../support/app.ts";
import { newClient } from "../../support/tenant.ts";

const { api } = appInProcess(inject("restUrl"), inject("serviceKey"));

/** Generous: it takes some milliseconds, and whatever runs away takes for ever. */
const SOON = 2_000;
const SOON_FOR_A_LONG_TEXT = 15_000;

/** In RE2's syntax. Engines that go back and try again take exponential or cubic time for most of them. */
const ACCEPTED: [string, string][] = [
  ["nested quantifiers", "(a+)+$"],
  ["nested stars", "(a*)*b"],
  ["alternatives that are the same", "(a|a)*$"],
  ["alternatives that overlap", "(a|aa)+$"],
  ["an e-mail address as it should not be written", "^([a-z0-9])(([-.]|[_]+)?([a-z0-9]+))*@[a-z0-9]+$"],
  ["many stars in a row", ".*.*.*.*.*x"],
  ["repetitions of nothing", "(?:){100}"],
  ["alternatives of nothing", "(|a|)*"],
  ["optional within optional, a hundred deep", `${"(?:".repeat(99)}a${")?".repeat(99)}`],
  ["classes of Unicode", "[^\\p{Lu}\\p{Greek}]+\\p{N}*"],
  ["letters in either case", "(?i)\\p{L}{20}"],
  ["an anchor again and again", "^*"],
];
const LARGEST: [string, string][] = [
  ["nearly as large as may be", ".{490}"],
  ["large classes", "\\p{L}".repeat(100)],
  ["many stars", ".*".repeat(100)],
  ["repetitions of repetitions", "(a{0,10}){0,10}"],
];
const REFUSED: [string, string][] = [
  ["an empty one", ""],
  ["huge repetitions", "a{100000}"],
  ["repetitions of repetitions", "(?:a{500}){500}"],
  ["repetitions five deep", "((((a{9}){9}){9}){9}){9}"],
  ["one over the steps", "a{600}"],
  ["many repetitions", "a{99}".repeat(20)],
  ["a back-reference", "(a+)+\\1"],
  ["a back-reference by name", "(?<n>a)\\k<n>"],
  ["a look ahead", "(?=(a+)+)a"],
  ["a look behind", "(?<=a+)b"],
  ["a possessive quantifier", "(a++)+b"],
  ["an atomic group", "(?>a+)b"],
  ["recursion", "(a(?R)?b)"],
  ["a call of a group", "(a)(?1)"],
  ["a condition", "(a)?(?(1)b|c)"],
  ["what is no class", "\\p{Nope}"],
  ["a range the wrong way round", "[z-a]"],
  ["a quantifier of a quantifier", "a**"],
  ["an open group", "(".repeat(400)],
  ["an open class", "[".repeat(400)],
  ["a longer one than may be", "a".repeat(501)],
  ["one as long as a body may be", "(a|b)".repeat(200_000)],
];

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; milliseconds: number }> {
  const started = performance.now();
  const result = await work();
  return { result, milliseconds: performance.now() - started };
}

const rulesOf = (pattern: string) => ({ custom: [{ name: "hostile", pattern, replacement: "-" }] });

describe("a hostile pattern", () => {
  it.each([...ACCEPTED, ...LARGEST])("%s is accepted, soon", async (_, pattern) => {
    const client = await newClient(api);
    const { result, milliseconds } = await timed(() =>
      client.put("/v1/anonymization-rules", rulesOf(pattern)),
    );
    expect([result.status, result.body.version]).toEqual([200, 1]);
    expect(milliseconds).toBeLessThan(SOON);
  });

  it.each(REFUSED)("%s is refused with issues, soon, and changes nothing", async (_, pattern) => {
    const client = await newClient(api);
    const { result, milliseconds } = await timed(() =>
      client.put("/v1/anonymization-rules", rulesOf(pattern)),
    );
    expect([result.status, result.body.error.code]).toEqual([400, "invalid_payload"]);
    expect(result.body.issues[0]).toEqual({ path: ["custom", 0, "pattern"], message: expect.any(String) });
    expect(milliseconds).toBeLessThan(SOON);
    expect((await client.get("/v1/anonymization-rules")).body.version).toBe(0);
  });

  it("patterns that are too large together are compiled no further, and make one issue", async () => {
    const client = await newClient(api);
    const custom = Array.from({ length: 50 }, () => ({ name: "a", pattern: "a{400}", replacement: "-" }));
    const { status, body } = await client.put("/v1/anonymization-rules", { custom });
    expect([status, body.error.code]).toEqual([400, "invalid_payload"]);
    expect(body.issues).toEqual([{ path: ["custom"], message: expect.any(String) }]);
  });

  it.each(ACCEPTED)("%s goes through nearly 1 MiB that it all but matches", async (_, pattern) => {
    const client = await newClient(api);
    expect((await client.put("/v1/anonymization-rules", rulesOf(pattern))).status).toBe(200);
    const message = `${"a".repeat(1_040_000)}!`;
    const { result, milliseconds } = await timed(() =>
      client.post("/v1/traces/log", { namespace: "n", message }),
    );
    expect([result.status, result.body.success]).toEqual([200, true]);
    expect(milliseconds).toBeLessThan(SOON_FOR_A_LONG_TEXT);
  });
});
