import type { ComponentChildren } from "preact";
import { address } from "../api/client.ts";
import { getAnonymizationRules, getModelPrices, getToken } from "../api/operations.ts";
import { type Resource, useResource } from "../api/resource.ts";
import type { AnonymizationRules, ModelPrices, Token } from "../api/types.ts";
import { curlOf } from "../parts/copy.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { exactTime } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { Heading } from "../parts/shell.tsx";
import { hasKeys, setKeys } from "../state/preferences.ts";
import { setTheme, THEMES, theme } from "../state/theme.ts";
import { signOut } from "../state/token.ts";

/** `#/settings`: what the token may do, and what the tenant has set. It changes nothing but the theme and the keys. */
export function Settings() {
  const token = useResource("token", getToken);
  const prices = useResource("prices", getModelPrices);
  const rules = useResource("rules", getAnonymizationRules);
  return (
    <div class="page">
      <Heading title="Settings" curl={curlOf(address("/token"))} />
      <Section title="This token" of={token}>
        {(token) => <TokenFacts token={token} />}
      </Section>
      <section>
        <h2>Theme</h2>
        <fieldset class="choices">
          <legend class="unseen">Theme</legend>
          {THEMES.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="theme"
                checked={theme.value === name}
                onChange={() => setTheme(name)}
              />
              {name === "system" ? "As the system" : name === "light" ? "Light" : "Dark"}
            </label>
          ))}
        </fieldset>
      </section>
      <section>
        <h2>Keys</h2>
        <label class="choice">
          <input
            type="checkbox"
            checked={hasKeys.value}
            onChange={({ currentTarget }) => setKeys(currentTarget.checked)}
          />{" "}
          Single keys do something: j, k, e, / and ? in a session or a trace
        </label>
      </section>
      <Section title="Model prices" of={prices}>
        {(prices) => <Prices prices={prices} />}
      </Section>
      <Section title="Anonymization rules" of={rules}>
        {(rules) => <Rules rules={rules} />}
      </Section>
    </div>
  );
}

interface SectionProps<Data> {
  title: string;
  of: Resource<Data>;
  children: (data: Data) => ComponentChildren;
}

function Section<Data>({ title, of, children }: SectionProps<Data>) {
  return (
    <section>
      <h2>{title}</h2>
      {of.problem && <ErrorBox problem={of.problem} retryAt={of.retryAt} retry={of.retry} />}
      {of.data ? children(of.data) : !of.problem && <p class="quiet">Loading…</p>}
    </section>
  );
}

function TokenFacts({ token }: { token: Token }) {
  return (
    <>
      <dl class="facts-list">
        <dt>Tenant</dt>
        <dd>
          <SafeText text={token.tenant} />
        </dd>
        <dt>Name</dt>
        <dd>{token.name ? <SafeText text={token.name} /> : "none"}</dd>
        <dt>Namespaces</dt>
        <dd>{token.namespaces ? <SafeText text={token.namespaces.join(", ")} /> : "all"}</dd>
        <dt>May</dt>
        <dd>{token.scope === "read" ? "read, and nothing else" : "read, write, and take content away"}</dd>
        <dt>Expires</dt>
        <dd>{token.expires_at ? exactTime(token.expires_at) : "never"}</dd>
      </dl>
      <button type="button" onClick={() => signOut()}>
        Sign out
      </button>
    </>
  );
}

function Prices({ prices: { version, prices, source, as_of } }: { prices: ModelPrices }) {
  const origin =
    version === 0
      ? `The known prices${source ? ` of ${source}` : ""}${as_of ? `, as of ${as_of}` : ""}`
      : "Your own";
  return (
    <>
      <p class="quiet">
        {origin}: {prices.length}, version {version}. Money per million tokens. <code>PUT /model-prices</code>{" "}
        changes them.
      </p>
      <details>
        <summary>Show prices</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Model prices">
          <table>
            <thead>
              <tr>
                {["Model", "From", "Input", "Cached input", "Output", "Currency"].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {prices.map(({ model, valid_from, input, cached_input, output, currency }) => (
                <tr key={`${model} ${valid_from}`}>
                  <td>
                    <SafeText text={model} />
                  </td>
                  <td>{valid_from ?? "ever"}</td>
                  <td class="number">{input ?? "unknown"}</td>
                  <td class="number">{cached_input ?? "as input"}</td>
                  <td class="number">{output ?? "unknown"}</td>
                  <td>{currency}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}

function Rules({ rules: { version, rules } }: { rules: AnonymizationRules }) {
  const on = Object.keys(rules.toggles).filter((name) => rules.toggles[name]);
  if (on.length === 0 && rules.custom.length === 0) {
    return <p class="quiet">None: content is stored as it is sent. Version {version}.</p>;
  }
  return (
    <>
      <p class="quiet">
        Taken out of content before it is stored. Version {version}. <code>PUT /anonymization-rules</code>{" "}
        changes them.
      </p>
      <dl class="facts-list">
        <dt>Personal data</dt>
        <dd>{on.join(", ") || "none"}</dd>
        {rules.custom.map(({ name, pattern, replacement }) => [
          <dt key={`${name} name`}>
            <SafeText text={name} />
          </dt>,
          <dd key={`${name} rule`}>
            <code>
              <SafeText text={pattern} />
            </code>{" "}
            becomes{" "}
            <code>
              <SafeText text={replacement} />
            </code>
          </dd>,
        ])}
      </dl>
    </>
  );
}
