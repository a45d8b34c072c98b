// Draws the API's own OpenAPI document with Swagger UI. Nothing is loaded from elsewhere, and no token is kept.
const documentUrl = new URL("../openapi.json", document.currentScript.src);

const codeSamples = () => ({
  wrapComponents: {
    responses: (Responses, { React, specSelectors }) => (props) => {
      const { path, method } = props;
      const samples = specSelectors.specJson().getIn(["paths", path, method, "x-codeSamples"]) ?? [];
      const drawn = samples.map((sample) =>
        React.createElement(
          "details",
          { key: sample.get("label"), className: "code-sample" },
          React.createElement("summary", null, sample.get("label")),
          React.createElement("pre", null, sample.get("source")),
        ),
      );
      return React.createElement(
        React.Fragment,
        null,
        React.createElement("div", { className: "code-samples" }, drawn),
        React.createElement(Responses, props),
      );
    },
  },
});

/** A part of the page, named for those who hear it. */
const named = (name) => (Part, { React }) => (props) =>
  React.createElement("section", { "aria-label": name }, React.createElement(Part, props));

/** What those need who hear this page: named parts, headings without gaps, and no link within a button. */
const accessible = () => ({
  wrapComponents: {
    InfoContainer: named("About this API"),
    AuthorizeBtnContainer: named("Authorization"),
    // There is one server: the one that has sent this page.
    ServersContainer: () => () => null,
    DeepLink: (_, { React }) => ({ text }) => React.createElement("span", null, text),
    operations: (Operations, { React }) => (props) =>
      React.createElement(
        React.Fragment,
        null,
        React.createElement("h2", { className: "unseen" }, "Operations"),
        React.createElement(Operations, props),
      ),
  },
});

/** Fields that Swagger UI gives no name. */
const NAMES = {
  "select.examples-select-element": "Example",
  ".content-type-wrapper select, select.content-type": "Media type",
  ".body-param textarea, textarea.body-param__text": "Request body",
};

function nameFields() {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const field of document.querySelectorAll(selector)) {
      if (!field.hasAttribute("aria-label")) field.setAttribute("aria-label", name);
    }
  }
}

/** One field for the token: the header that does the same is told of in the text. */
function withOneScheme(spec) {
  const { tracerTokenHeader: _, ...securitySchemes } = spec.components.securitySchemes;
  const isShown = (requirement) => !("tracerTokenHeader" in requirement);
  const shown = ({ security, ...rest }) => (security ? { ...rest, security: security.filter(isShown) } : rest);
  const each = (members, change) =>
    Object.fromEntries(Object.entries(members).map(([name, member]) => [name, change(member)]));
  return {
    ...shown(spec),
    paths: each(spec.paths, (path) => each(path, shown)),
    components: { ...spec.components, securitySchemes },
  };
}

fetch(documentUrl)
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`it answered ${response.status}`))))
  .then((spec) => {
    // Where this page is, the API is: whatever stands in front of it.
    const url = new URL(".", documentUrl).href.replace(/\/$/, "");
    SwaggerUIBundle({
      dom_id: "#reference",
      spec: { ...withOneScheme(spec), servers: [{ url }] },
      plugins: [codeSamples, accessible],
      deepLinking: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: 0,
      validatorUrl: null,
    });
    new MutationObserver(nameFields).observe(document.querySelector("#reference"), { childList: true, subtree: true });
  })
  .catch((error) => {
    document.querySelector("#reference").textContent = `${documentUrl} cannot be shown: ${error.message}`;
  });
