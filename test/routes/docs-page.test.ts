import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";

const script = readFileSync(new URL("../../functions/monkai-api/assets/docs.js", import.meta.url), "utf8");

// biome-ignore lint/suspicious/noExplicitAny: the options of a library that has no types here
type Json = any;

const DOCUMENT = { openapi: "3.1.0", paths: {}, components: { securitySchemes: {} } };

/** Runs the page's script with stand-ins for what a browser and Swagger UI give it. */
async function run(answer: Response): Promise<{ options: Json; asked: string[]; text: string }> {
  const asked: string[] = [];
  const reference = { textContent: "" };
  let options: Json;
  const globals = {
    document: {
      currentScript: { src: "https://api.test/trace/v1/docs/docs.js" },
      querySelector: () => reference,
    },
    fetch: async (url: URL) => {
      asked.push(url.href);
      return answer;
    },
    SwaggerUIBundle: (given: Json) => {
      options = given;
    },
    MutationObserver: class {
      observe() {}
    },
  };
  new Function(...Object.keys(globals), script)(...Object.values(globals));
  await vi.waitFor(() => expect(options ?? reference.textContent).toBeTruthy());
  return { options, asked, text: reference.textContent };
}

it("the page draws the document beside it, sends requests to where it is itself, and asks nobody else", async () => {
  const document = { ...DOCUMENT, servers: [{ url: "https://elsewhere" }] };
  const { options, asked } = await run(Response.json(document));
  expect(asked).toEqual(["https://api.test/trace/v1/openapi.json"]);
  expect(options.spec).toEqual({ ...DOCUMENT, servers: [{ url: "https://api.test/trace/v1" }] });
  expect(options.validatorUrl).toBeNull();
  expect(options.persistAuthorization ?? false).toBe(false);
});

it("it shows one way to send the token, of the two that the document has", async () => {
  const bearerAuth = { type: "http", scheme: "bearer" };
  const document = (schemes: object, security: object[]) => ({
    security,
    paths: { "/token": { get: { summary: "s", security } }, "/health": { get: { summary: "h" } } },
    components: { schemas: { A: {} }, securitySchemes: schemes },
  });
  const both = document({ bearerAuth, tracerTokenHeader: {} }, [
    { bearerAuth: [] },
    { tracerTokenHeader: [] },
  ]);
  const { options } = await run(Response.json(both));
  expect(options.spec).toMatchObject(document({ bearerAuth }, [{ bearerAuth: [] }]));
  expect(options.spec.components.securitySchemes).toEqual({ bearerAuth });
});

it("it draws an operation's code samples before its responses", async () => {
  const { options } = await run(Response.json(DOCUMENT));
  const sample = new Map([
    ["label", "curl"],
    ["source", "curl https://api.test"],
  ]);
  const createElement = (type: Json, props: Json, ...children: Json[]) => ({ type, props, children });
  const React = { createElement, Fragment: "fragment" };
  const specJson = () => ({
    getIn: ([, , , name]: string[]) => (name === "x-codeSamples" ? [sample] : undefined),
  });
  const { responses } = options.plugins[0]().wrapComponents;
  const drawn = responses("responses", { React, specSelectors: { specJson } })({ path: "/p", method: "get" });
  expect(drawn.children.map(({ type }: Json) => type)).toEqual(["div", "responses"]);
  expect(JSON.stringify(drawn)).toContain("curl https://api.test");
});

it("it says so when there is no document", async () => {
  const { text } = await run(new Response("", { status: 503 }));
  expect(text).toContain("503");
});
