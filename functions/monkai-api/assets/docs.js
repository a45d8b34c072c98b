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


fetch(documentUrl)
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`it answered ${response.status}`))))
  .then((spec) => {
    // Where this page is, the API is: whatever stands in front of it.
    const url = new URL(".", documentUrl).href.replace(/\/$/, "");
    SwaggerUIBundle({
      dom_id: "#reference",
      spec: { ...spec, servers: [{ url }] },
      plugins: [codeSamples],
      deepLinking: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: 0,
      validatorUrl: null,
    });
  })
  .catch((error) => {
    document.querySelector("#reference").textContent = `${documentUrl} cannot be shown: ${error.message}`;
  });
