import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";

export function documentation(api: Api): void {
  describe("documentation", () => {
    it.each(["/v1", "", "/api/v1", "/functions/v1/monkai-api/v1"])(
      "GET %s/openapi.json and .yaml are one document, whose server is where it came from",
      async (prefix) => {
        const response = await api(`${prefix}/openapi.json`);
        expect(response.status).toBe(200);
        const document = await response.json();
        const server = new URL(document.servers[0].url);
        expect(server.origin).toBe(new URL(response.url).origin);
        expect(await (await fetch(`${server.href}/openapi.json`)).json()).toEqual(document);

        const yaml = await api(`${prefix}/openapi.yaml`);
        expect(yaml.headers.get("content-type")).toBe("application/yaml");
        expect(load(await yaml.text())).toEqual(document);
      },
    );

    it("an empty member of a query string is none", async () => {
      const client = await newClient(api);
      const empty = "project_id=&session_id=&agent=&start_date=&end_date=&root_only=&limit=&offset=";
      const { status, body } = await client.get(`/v1/traces?${empty}`);
      expect([status, body]).toEqual([200, { data: [], total: 0, limit: 50, offset: 0 }]);
    });

    it("under /api/v1 an error is described as SOAT's", async () => {
      const { components } = await (await api("/api/v1/openapi.json")).json();
      expect(components.schemas.Error.properties.error.type).toBe("string");
    });

    it.each(["/v1/docs", "/v1/docs/", "/docs"])(
      "GET %s is a page that loads its own files alone",
      async (path) => {
        const response = await api(path);
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toMatch(/^text\/html/);
        expect(response.headers.get("content-security-policy")).toBe(
          "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
        const html = await response.text();
        const files = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(
          ([, file]) => file as string,
        );
        expect(files.length).toBe(3);
        for (const file of files) {
          const url = new URL(file, response.url);
          expect(url.origin).toBe(new URL(response.url).origin);
          const asset = await fetch(url);
          expect([file, asset.status]).toEqual([file, 200]);
          expect(asset.headers.get("content-type")).toMatch(
            file.endsWith(".css") ? /^text\/css/ : /^text\/javascript/,
          );
          expect((await asset.text()).length).toBeGreaterThan(1_000);
        }
      },
    );

    it.each(["/v1/view", "/v1/view/", "/view"])(
      "GET %s is the viewer, with its files beside it",
      async (path) => {
        const response = await api(path);
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toMatch(/^text\/html/);
        expect(response.headers.get("content-security-policy")).toContain(
          "require-trusted-types-for 'script'",
        );
        const html = await response.text();
        const files = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, file]) => `${file}`);
        expect(files.length).toBe(2);
        for (const file of files) {
          const asset = await fetch(new URL(file, response.url));
          expect([file, asset.status]).toEqual([file, 200]);
          expect(asset.headers.get("cache-control")).toContain("immutable");
          expect((await asset.text()).length).toBeGreaterThan(1_000);
        }
      },
    );

    it.each(["/v1/docs/swagger-ui-LICENSE.txt", "/v1/docs/..%2fapp.ts", "/swagger-ui.css", "/docs.js"])(
      "GET %s is 404: no other file is public",
      async (path) => {
        const response = await api(path);
        expect(response.status).toBe(404);
        expect((await response.json()).error.code).toBe("not_found");
      },
    );
  });
}
