import { expect, it } from "vitest";
import { baseUrl } from "../../functions/monkai-api/paths.ts";

const asked = (url: string, headers: Record<string, string> = {}) => baseUrl(new Request(url, { headers }));

it.each([
  ["http://a.test:8787/v1/openapi.json", "http://a.test:8787/v1"],
  ["http://[::1]:8787/openapi.json", "http://[::1]:8787/v1"],
  ["https://a.test/api/v1/openapi.json", "https://a.test/api/v1"],
  ["https://a.test/api/public/otel/v1/openapi.json", "https://a.test/api/public/otel/v1"],
  ["https://a.test/functions/v1/monkai-api/v1/docs", "https://a.test/functions/v1/monkai-api/v1"],
  ["http://edge/monkai-api/v1/docs", "http://edge/functions/v1/monkai-api/v1"],
])("the API asked at %s is at %s", (url, expected) => {
  expect(asked(url)).toBe(expected);
});

const HERE = "http://edge/functions/v1/monkai-api/v1";

it.each<[string, Record<string, string>, string]>([
  [
    "this project's proxy",
    { Host: "api.test", Proto: "https", Prefix: "/trace" },
    "https://api.test/trace/v1",
  ],
  [
    "a chain of proxies",
    { Host: "api.test, inner", Proto: "https,http" },
    HERE.replace("http://edge", "https://api.test"),
  ],
  [
    "Supabase's gateway",
    { Host: "p.supabase.co", Proto: "https", Prefix: "/functions/v1/", Port: "443" },
    HERE.replace("http://edge", "https://p.supabase.co"),
  ],
  ["a local gateway", { Host: "127.0.0.1", Port: "54321" }, HERE.replace("edge", "127.0.0.1:54321")],
  ["a host with its port", { Host: "[::1]:8080", Prefix: "/a/b/" }, "http://[::1]:8080/a/b/v1"],
  ["nonsense", { Host: "a b", Proto: "ftp", Prefix: "/../x", Port: "99999999" }, HERE],
  ["a host that is none", { Host: "..", Prefix: "x" }, HERE],
])("what %s says of the request is heeded as far as it makes sense", (_, forwarded, expected) => {
  const headers = Object.entries(forwarded).map(([name, value]) => [`X-Forwarded-${name}`, value]);
  expect(asked("http://edge/monkai-api/v1/openapi.json", Object.fromEntries(headers))).toBe(expected);
});
