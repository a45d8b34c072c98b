import { useSignal } from "@preact/signals";
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
import { now } from "../state/clock.ts";
import { hiddenColumns, showColumn } from "../state/columns.ts";
import { limits } from "../state/limits.ts";
import { hasKeys, setKeys } from "../state/preferences.ts";
import { setTheme, THEMES, theme } from "../state/theme.ts";
import { signOut } from "../state/token.ts";
import { COLUMNS } from "./sessions.tsx";

/** `#/settings`: what the token may do, and what the tenant has set. It changes nothing but how this browser shows things. */
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
        <h2>Columns of the sessions</h2>
        <fieldset class="choices">
          <legend class="unseen">Columns of the sessions</legend>
          {COLUMNS.filter(({ name }) => name !== "session").map(({ name, title }) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={!hiddenColumns.value.includes(name)}
                onChange={({ currentTarget }) => showColumn(name, currentTarget.checked)}
              />
              {title}
            </label>
          ))}
        </fieldset>
      </section>
      <section>
        <h2>Requests left</h2>
        <Limits />
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

/** Of the buckets that this page has asked: the API tells them with each answer. */
function Limits() {
  const told = Object.values(limits.value);
  if (told.length === 0) return <p class="quiet">Not told yet.</p>;
  return (
    <table class="limits">
      <thead>
        <tr>
          {["Bucket", "Left", "Of", "All again in"].map((title) => (
            <th key={title} scope="col" class={title === "Bucket" ? "" : "number"}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {told.map(({ bucket, limit, remaining, resetAt }) => {
          const seconds = Math.ceil((resetAt - now.value) / 1000);
          return (
            <tr key={bucket}>
              <th scope="row">{bucket}</th>
              <td class="number">{seconds > 0 ? remaining : limit}</td>
              <td class="number">{limit} a minute</td>
              <td class="number">{seconds > 0 ? `${seconds} s` : "–"}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Prices({ prices: { version, prices, source, as_of } }: { prices: ModelPrices }) {
  const asked = useSignal("");
  const matching = prices.filter(({ model }) => model.toLowerCase().includes(asked.value.toLowerCase()));
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
        <label class="field price-search">
          <span>Model</span>
          <input
            type="search"
            autocomplete="off"
            spellcheck={false}
            value={asked.value}
            onInput={({ currentTarget }) => {
              asked.value = currentTarget.value.trim();
            }}
          />
        </label>
        <p class="quiet" role="status">
          {matching.length} of {prices.length} prices
        </p>
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
              {matching.map(({ model, valid_from, input, cached_input, output, currency }) => (
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
