import { expect, it } from "vitest";
import { createApp } from "../../functions/monkai-api/app.ts";
import { buildPages } from "../../scripts/pages-build.ts";
import { readAsset } from "../support/app.ts";

const { script, style } = buildPages();

/** The API with its files, and nothing else behind it. */
const app = createApp({
  store: { request: unused, checkReady: unused },
  readAsset,
  now: () => new Date(),
  newId: () => "unused",
  log: () => {},
});

function unused(): never {
  throw new Error("There is nothing behind this app.");
}

const get = (path: string, headers = {}) => app.request(`http://api.test${path}`, { headers });

it.each([
  "/v1/view",
  "/v1/view/",
  "/view",
  "/api/v1/view",
  "/functions/v1/monkai-api/v1/view",
  "/monkai-api/v1/view/",
])("GET %s is a page whose files are found from there", async (path) => {
  const response = await get(path);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
  const files = [...(await response.text()).matchAll(/(?:src|href)="([^":]+)"/g)].map(
    ([, file]) => `${file}`,
  );
  expect(files.map((file) => file.replace("view/", ""))).toEqual([style, script]);
  for (const file of files) {
    const { pathname } = new URL(file, `http://api.test${path}`);
    expect([pathname, (await get(pathname)).status]).toEqual([pathname, 200]);
  }
});

it("the page runs its own files alone, asks this API alone, and is told to nobody", async () => {
  const { headers } = await get("/v1/view");
  expect(headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
      "trusted-types 'none'",
  );
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
});

it("its files may be kept for ever, under names that change with what is in them", async () => {
  for (const [name, type] of [
    [script, "text/javascript; charset=utf-8"],
    [style, "text/css; charset=utf-8"],
  ] as const) {
    expect(name).toMatch(/-[A-Z0-9]{8}\.(js|css)$/);
    const { headers } = await get(`/v1/view/${name}`);
    expect(headers.get("content-type")).toBe(type);
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
});

it.each(["manifest.json", "main-00000000.js", "..%2fdocs.js", "..%2f..%2fmain-00000000.js", "docs.js"])(
  "GET /v1/view/%s is 404: no other file is public",
  async (name) => {
    const response = await get(`/v1/view/${name}`);
    expect([response.status, (await response.json()).error.code]).toEqual([404, "not_found"]);
  },
);

it.each(["/", "/v1", "/v1/", "/api/v1", "/functions/v1/monkai-api/v1", "/monkai-api/"])(
  "GET %s leads a browser to the page, and tells others where things are",
  async (path) => {
    const led = await get(path, { Accept: "text/html,application/xhtml+xml" });
    expect(led.status).toBe(302);
    const { pathname } = new URL(led.headers.get("location") ?? "", `http://api.test${path}`);
    expect(pathname).toBe(`${path.replace(/\/$/, "")}/view`);
    expect((await get(pathname)).status).toBe(200);

    const told = await get(path, { Accept: "*/*" });
    expect([told.status, told.headers.get("vary")]).toEqual([200, "Accept"]);
    const { viewer, documentation, openapi } = await told.json();
    for (const url of [viewer, documentation, openapi])
      expect([url, (await app.request(url)).status]).toEqual([url, 200]);
  },
);

it("the page at /docs links to it", async () => {
  for (const path of ["/v1/docs", "/v1/docs/"]) {
    const [, link = ""] = /<a href="([^"]+)">The viewer/.exec(await (await get(path)).text()) ?? [];
    expect(new URL(link, `http://api.test${path}`).pathname).toBe("/v1/view");
  }
});
