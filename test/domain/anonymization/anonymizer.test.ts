import { describe, expect, it } from "vitest";
import {
  type AnonymizationRules,
  Anonymizer,
} from "../../../functions/monkai-api/domain/anonymization/anonymizer.ts";

const rulesOf = (
  toggles: string[],
  custom: AnonymizationRules["rules"]["custom"] = [],
): AnonymizationRules => ({
  version: 3,
  rules: { toggles: Object.fromEntries(toggles.map((toggle) => [toggle, true])), custom },
});

const custom = (pattern: string, replacement: string) => [{ name: "custom", pattern, replacement }];

/** What becomes of a value that was said. */
function anonymized(value: unknown, rules: AnonymizationRules): unknown {
  const [item] = new Anonymizer(rules).anonymize([{ content: { result: value } }]);
  return item?.content?.result;
}

const text = (said: string, ...toggles: string[]) => anonymized(said, rulesOf(toggles));

describe("each class of personal data", () => {
  it.each([
    ["cpf", "529.982.247-25", "[CPF]"],
    ["cpf", "CPF:52998224725.", "CPF:[CPF]."],
    ["cpf", "123.456.789-00", "[CPF]"],
    ["cpf", "CPF52998224725, cpf_529.982.247–25.pdf, 529 982 247 25", "CPF[CPF], cpf_[CPF].pdf, [CPF]"],
    ["cpf", 'Result: {"x": "\\n52998224725"}', 'Result: {"x": "\\n[CPF]"}'],
    ["cpf", "５２９９８２２４７２５", "[CPF]"],
    ["cnpj", "11.222.333/0001-81", "[CNPJ]"],
    ["cnpj", "o CNPJ 11222333000181 é", "o CNPJ [CNPJ] é"],
    ["cnpj", "12.ABC.345/01DE-35", "[CNPJ]"],
    ["cnpj", "12ABC34501DE35", "[CNPJ]"],
    ["email", "mail joão.silva+x@exemplo.com.br!", "mail [EMAIL]!"],
    ["email", "<a@b.co>,c_d@e-f.org", "<[EMAIL]>,[EMAIL]"],
    ["email", "o'brien@x.com joa\u0303o@x.com joao%40exemplo.com.br", "[EMAIL] [EMAIL] [EMAIL]"],
    ["phone", "+55 (21) 99999-8888", "[PHONE]"],
    ["phone", "ligue (11) 3333-4444 já", "ligue [PHONE] já"],
    ["phone", "5521999998888 ou 21999998888", "[PHONE] ou [PHONE]"],
    ["phone", "11 98765-4321, 98765-4321", "[PHONE], [PHONE]"],
    ["phone", "+1 415 555 2671 / 415-555-2671", "[PHONE] / [PHONE]"],
    ["phone", "+351912345678", "[PHONE]"],
    ["phone", "(11) 9 8765-4321, 11 9 8765-4321, (11) 98765 - 4321", "[PHONE], [PHONE], [PHONE]"],
    ["phone", "tel:\\n11987654321, 0800 123 4567, %2B5511987654321", "tel:\\n[PHONE], [PHONE], %2B[PHONE]"],
    ["credit_card", "4111 1111 1111 1111", "[CARD]"],
    ["credit_card", "5500-0000-0000-0004;378282246310005", "[CARD];[CARD]"],
    [
      "credit_card",
      "8888 4111 1111 1111 1111 12/25 and 4111111111111111 123",
      "8888 [CARD] 12/25 and [CARD] 123",
    ],
    ["ipv4", "from 192.168.0.1:8080", "from [IP]:8080"],
    ["ipv4", "255.255.255.255.", "[IP]."],
    ["ipv6", "2001:db8::ff00:42:8329", "[IP]"],
    ["ipv6", "at ::1, fe80::1%eth0 and [2001:db8:0:0:0:0:0:1]", "at [IP], [IP]%eth0 and [[IP]]"],
    ["ipv6", "::ffff:10.0.0.1", "[IP]"],
    ["ipv6", "ip:2001:db8::1 node:2001:db8::1: timeout", "ip:[IP] node:[IP]: timeout"],
    ["rg", "12.345.678-9 e 1.234.567-X", "[RG] e [RG]"],
    ["rg", "RG: 123456789", "RG: [RG]"],
    ["rg", "rg=12345678-x, R.G. nº 1234567, MG-12.345.678", "rg=[RG], R.G. nº [RG], [RG]"],
  ])("%s: %s", (toggle, said, expected) => {
    expect(text(said, toggle)).toBe(expected);
    const others = ["cpf", "cnpj", "email", "phone", "credit_card", "ipv4", "ipv6", "rg"].filter(
      (other) => other !== toggle,
    );
    expect(text("nothing to see: v2, 12:30:45, 2025-10-29", ...others)).toContain("2025-10-29");
    expect(text(said)).toBe(said);
  });

  it.each([
    ["cpf", "52998224724 is no CPF, nor is 5299822472512"],
    ["cnpj", "11222333000182, RELEASES/2024-12, 12345678/2024-01"],
    ["email", "a @b.co, @handle, a@localhost, logo@2x.png, left-pad@1.0.0.tgz"],
    ["phone", "2025-10-29, 1763712345, 1763712345678, a-21999998888b, order 123456789, 2020-2024"],
    ["phone", "order 1234567890, ts=1735689600, 98765.4321, 90210-1234, 100 200 3000, 10:30:45 +0300"],
    [
      "credit_card",
      "4111 1111 1111 1112, 41111111111111111111111111, 0000000000000000, 1 2 3 4 5 6 7 8 9 10 11 12",
    ],
    ["credit_card", "1763712345678, 1763712345679, 1763712345680, 00000000-0000-0000-0000-000000000000"],
    ["ipv4", "1.2.3, 256.1.1.1, v1.2.3.4, 1.2.3.4.5, Chrome/126.0.0.0, version 1.2.3.4"],
    ["ipv6", "12:30:45, a::b::c, std::vector, 2025-10-29T10:30:45Z, ::, urn:x:y, cafe::babe, db::add(x)"],
    ["ipv6", "00:11:22:33:44:55:66:77 is a device's"],
    ["rg", "12.345.678, 123.456.789-09"],
  ])("%s leaves alone: %s", (toggle, said) => {
    expect(text(said, toggle)).toBe(said);
  });

  it("all at once: each becomes its own placeholder", () => {
    const said =
      "529.982.247-25 11.222.333/0001-81 a@b.co (21) 99999-8888 4111111111111111 10.0.0.1 ::1 12.345.678-9";
    expect(text(said, "cpf", "cnpj", "email", "phone", "credit_card", "ipv4", "ipv6", "rg")).toBe(
      "[CPF] [CNPJ] [EMAIL] [PHONE] [CARD] [IP] [IP] [RG]",
    );
  });

  it("has the names of published clients too", () => {
    expect(text("21999998888 4111111111111111 10.0.0.1 ::1", "brazilian_phone", "card", "ip")).toBe(
      "[PHONE] [CARD] [IP] [IP]",
    );
  });

  it.each([
    "a".repeat(300_000),
    "1".repeat(300_000),
    "a@".repeat(150_000),
    ":".repeat(300_000),
    "1.".repeat(150_000),
    "1 ".repeat(150_000),
    "4111 1111 1111 1112 ".repeat(15_000),
  ])(
    "no text makes it slow (%#)",
    (said) => {
      expect(text(said, "cpf", "cnpj", "email", "phone", "credit_card", "ipv4", "ipv6", "rg")).toBe(said);
    },
    2_000,
  );
});

it("many names of members that become one are told apart in no time", () => {
  const addresses = Array.from({ length: 20_000 }, (_, index) => [`a${index}@b.co`, index]);
  const redacted = anonymized(Object.fromEntries(addresses), rulesOf(["email"])) as object;
  expect(Object.keys(redacted)).toEqual([
    "[EMAIL]",
    ...addresses.slice(1).map((_, index) => `[EMAIL]${index + 2}`),
  ]);
});

describe("custom rules", () => {
  it.each([
    ["MK-\\d+", "[MK]", "MK-1, xMK-22", "[MK], x[MK]"],
    ["(?i)(secret)=(\\w+)", "$1=***", "Secret=abc", "Secret=***"],
    ["b+", "<$&$$>", "abba", "a<bb$>a"],
    ["x*", "-", "axxb", "a-b"],
    ["\\b", "-", "a b", "a b"],
    ["é|😀", "?", "né 😀!", "n? ?!"],
  ])("%s with %s", (pattern, replacement, said, expected) => {
    expect(anonymized(said, rulesOf([], custom(pattern, replacement)))).toBe(expected);
  });

  it("come after the classes of personal data, in their order", () => {
    const rules = rulesOf(["email"], [...custom("\\[EMAIL\\]", "one"), ...custom("one", "two")]);
    expect(anonymized("a@b.co", rules)).toBe("two");
  });

  it("are not applied where the replacements would grow without bounds", () => {
    const rules = new Anonymizer(rulesOf([], custom(".", "x".repeat(100))));
    expect(() => rules.anonymize([{ content: { result: "a".repeat(1_000_000) } }])).toThrow("too long");
    expect(rules.anonymize([{ content: { result: "ab" } }])[0]?.content?.result).toHaveLength(200);
  });

  it("are not applied when that takes too long", () => {
    let time = 0;
    const clock = () => {
      time += 1_000;
      return time;
    };
    const rules = new Anonymizer(rulesOf([], custom("a", "b")));
    expect(() => rules.anonymize([{ content: { result: "a".repeat(20) } }], clock)).toThrow("too long");
    expect(rules.anonymize([{ content: { result: "a" } }], clock)[0]?.content?.result).toBe("b");
  });

  it("that find nothing are not applied one after the other for ever", () => {
    let now = 0;
    const clock = () => {
      now += 4_000;
      return now;
    };
    const custom = Array.from({ length: 3 }, () => ({ name: "a", pattern: "never", replacement: "" }));
    const rules = new Anonymizer({ version: 1, rules: { toggles: {}, custom } });
    expect(() => rules.anonymize([{ content: { result: "a" } }], clock)).toThrow("too long");
  });

  it("a pattern that is not RE2 syntax fails before anything is anonymized", () => {
    expect(() => new Anonymizer(rulesOf([], custom("(?=a)", "x")))).toThrow();
  });
});

describe("what is anonymized", () => {
  const rules = rulesOf(["email", "cpf"], custom("user|content|MK", "X"));

  it("a card's digits in JSON in a text, also where a double has fewer", () => {
    expect(text('{"card": 6304123456789012990}', "credit_card")).toBe('{"card": "[CARD]"}');
  });

  it("a text in JSON of a million escapes", () => {
    const said = JSON.stringify(`${"\\".repeat(2_000_000)} a@b.co`);
    expect(text(said, "email")).toBe(said.replace("a@b.co", "[EMAIL]"));
  });

  it.each([
    [
      "values at any depth, and the names of members",
      { a: [{ "a@b.co": "c@d.co" }] },
      { a: [{ "[EMAIL]": "[EMAIL]" }] },
    ],
    ["two names that become one", { "a@b.co": 1, "c@d.co": 2 }, { "[EMAIL]": 1, "[EMAIL]2": 2 }],
    [
      "two names that become one, and a third that is like theirs",
      { "a@b.co": 1, "c@d.co": 2, "[EMAIL]2": 3 },
      { "[EMAIL]": 1, "[EMAIL]2": 2, "[EMAIL]22": 3 },
    ],
    [
      "a name like theirs, and two that become one",
      { "[EMAIL]2": 1, "a@b.co": 2, "c@d.co": 3 },
      { "[EMAIL]2": 1, "[EMAIL]": 2, "[EMAIL]3": 3 },
    ],
    ["numbers", [52998224725, 12, 1.5, true, null], ["[CPF]", 12, 1.5, true, null]],
    ["JSON in JSON, once", '["user", "[\\"user\\"]"]', '["X", "[\\"X\\"]"]'],
    ["a message in JSON, its form kept", '{"role":"user","content":"user"}', '{"role":"user","content":"X"}'],
    ["JSON in a text", '{"to": "a@b.co", "cpf": 52998224725}', '{"to": "[EMAIL]", "cpf": "[CPF]"}'],
    [
      "JSON in a text, and what is not found there stays as it is written",
      '{ "n": 12345678901234567890, "v": 1.10, "n": 1e2, "half": "\\ud83d", "to": "a@b.co" }',
      '{ "n": 12345678901234567890, "v": 1.10, "n": 1e2, "half": "\\ud83d", "to": "[EMAIL]" }',
    ],
    ["JSON in a text with a member twice", '{"to":"a@b.co","to":"x"}', '{"to":"[EMAIL]","to":"x"}'],
    ["names that become one in JSON in a text", '{"a@b.co":1,"c@d.co":2}', '{"[EMAIL]":1,"[EMAIL]2":2}'],
    [
      "numbers with an exponent in JSON in a text",
      '{"cpf": 5.2998224725E10, "n": 1.5E3}',
      '{"cpf": "[CPF]", "n": 1.5E3}',
    ],
    [
      "names that become words of an API are told apart from them",
      { MK: 1, X: 2, "a user": 3 },
      { X: 1, X2: 2, "a X": 3 },
    ],
    [
      "names that become one in two objects",
      '{"x":{"a@b.co":1},"c@d.co":{"e@f.co":1}}',
      '{"x":{"[EMAIL]":1},"[EMAIL]":{"[EMAIL]":1}}',
    ],
    ["negative numbers in JSON in a text", '{"n":-52998224725}', '{"n":"-[CPF]"}'],
    ["a name with space behind it", '{"role" : "user", "a" : "user"}', '{"role" : "user", "a" : "X"}'],
    [
      "a message in JSON in JSON, its form kept",
      '["{\\"role\\":\\"user\\"}"]',
      '["{\\"role\\":\\"user\\"}"]',
    ],
    ["a text behind an object", '[{"role":"user"},"user"]', '[{"role":"user"},"X"]'],
    ["a text as JSON", '"joao\\u0040b.co"', '"[EMAIL]"'],
    ["a role in a list is none", '{"role":["user"]}', '{"role":["X"]}'],
    ["JSON in a text, with escapes", '["jo\\u00e3o\\u0040b.co"]', '["[EMAIL]"]'],
    ["JSON in a text where nothing is found", '{ "a" : 1 }', '{ "a" : 1 }'],
    ["what only looks like JSON", "{a@b.co}", "{[EMAIL]}"],
    [
      "not a message's form",
      { role: "user", content: "user a@b.co", type: "text" },
      { role: "user", content: "X [EMAIL]", type: "text" },
    ],
    ["a role that is no word", { role: "a@b.co" }, { role: "[EMAIL]" }],
  ])("%s", (_, said, expected) => {
    expect(anonymized(said, rules)).toEqual(expected);
  });

  it("is all of a transfer but the agents and the names that it may have", () => {
    const sent = {
      from: "reason",
      to: "a",
      reason: "reason",
      timestamp: "timestamp",
      "my reason": ["reason"],
    };
    const [item] = new Anonymizer(rulesOf([], custom("reason|timestamp", "X"))).anonymize([
      { content: { transfers: [sent] } },
    ]);
    expect(item?.content?.transfers).toEqual([
      { from: "reason", to: "a", reason: "X", timestamp: "X", "my X": ["X"] },
    ]);
  });

  it("is what was said, and not users, names and ids; the version is noted", () => {
    const [item] = new Anonymizer(rules).anonymize([
      {
        session_id: "a@b.co",
        content: {
          ...{
            msg: "a@b.co",
            input: { a: "a@b.co" },
            output: {},
            arguments: {},
            result: 1,
            reason: "a@b.co",
          },
          ...{
            message: "a@b.co",
            custom_object: { a: "a@b.co" },
            metadata: { a: "a@b.co" },
            attachments: ["a@b.co"],
          },
          ...{ external_user_id: "a@b.co", user_id: "a@b.co", provider: "a@b.co", from_agent: "a@b.co" },
          transfers: [{ from: "a@b.co", to: "MK", reason: "a@b.co" }],
        },
      },
    ]);
    expect(item).toEqual({
      session_id: "a@b.co",
      content: {
        ...{
          msg: "[EMAIL]",
          input: { a: "[EMAIL]" },
          output: {},
          arguments: {},
          result: 1,
          reason: "[EMAIL]",
        },
        ...{
          message: "[EMAIL]",
          custom_object: { a: "[EMAIL]" },
          metadata: { a: "[EMAIL]" },
          attachments: ["[EMAIL]"],
        },
        ...{ external_user_id: "a@b.co", user_id: "a@b.co", provider: "a@b.co", from_agent: "a@b.co" },
        transfers: [{ from: "a@b.co", to: "MK", reason: "[EMAIL]" }],
        anonymization_version: 3,
      },
    });
  });

  it("leaves what it was given as it was, for another try", () => {
    const items = [{ content: { msg: { content: "a@b.co" } } }];
    new Anonymizer(rules).anonymize(items);
    expect(items).toEqual([{ content: { msg: { content: "a@b.co" } } }]);
  });
});

describe("the error of a step", () => {
  const step = { content: {}, error: { type: "a@b.co", message: '{"who": "a@b.co"}' } };
  const anonymizer = new Anonymizer(rulesOf(["email"]));

  it("is redacted like what was said: its type and its message", () => {
    expect(
      anonymizer.anonymize([step, { ...step, error: { message: "a@b.co" } }]).map(({ error }) => error),
    ).toEqual([{ type: "[EMAIL]", message: '{"who": "[EMAIL]"}' }, { message: "[EMAIL]" }]);
  });

  it("is left alone where its client has redacted the step by these rules, and with no rules at all", () => {
    const redacted = { ...step, content: { anonymization_version: 3 } };
    expect(anonymizer.anonymize([redacted])).toEqual([redacted]);
    expect(new Anonymizer({ ...rulesOf(["email"]), version: 0 }).anonymize([step])).toEqual([step]);
  });
});
