import { useId } from "preact/hooks";
import { route, setQuery } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";

/** A filter of a list: a parameter of the fragment's query, and of the API. */
export interface Filter {
  name: string;
  label: string;
  /** The only values there are, with what they are called. */
  choices?: [value: string, label: string][];
  /** Values that there are among others. */
  suggestions?: string[];
  type?: "text" | "search" | "date" | "number";
  /** Something must be chosen: it is none of what can be taken away. */
  isRequired?: boolean;
}

/** Days of the browser's calendar as the API takes them: from when the first begins until when the last is over. */
export function inLocalDays({
  start_date,
  end_date,
  ...set
}: Record<string, string>): Record<string, string> {
  return {
    ...set,
    ...(start_date && { start_date: dayToMoment(start_date, "start") }),
    ...(end_date && { end_date: dayToMoment(end_date, "end") }),
  };
}

function dayToMoment(day: string, end: "start" | "end"): string {
  const moment = new Date(`${day}T${end === "start" ? "00:00:00.000" : "23:59:59.999"}`);
  return Number.isNaN(moment.getTime()) ? day : moment.toISOString();
}

/** The filters that are set, as the API takes them. */
export function filtersSet(filters: Filter[]): Record<string, string> {
  const { query } = route.value;
  const told = filters.map(({ name }) => [name, query.get(name) ?? ""] as const);
  return Object.fromEntries(told.filter(([, value]) => value !== ""));
}

export function Filters({ filters }: { filters: Filter[] }) {
  const set = filtersSet(filters);
  const removable = filters
    .filter(({ name, isRequired }) => set[name] && !isRequired)
    .map(({ name }) => name);
  const count = removable.length;
  return (
    <details class="filters" open={!isNarrow.value || undefined}>
      <summary>Filters{count > 0 && ` (${count})`}</summary>
      <search class="fields">
        {filters.map((filter) => (
          <Field key={filter.name} filter={filter} value={set[filter.name] ?? ""} />
        ))}
        {count > 0 && (
          <button type="button" class="plain" onClick={() => setQuery(without(removable))}>
            Clear filters
          </button>
        )}
      </search>
    </details>
  );
}

function Field({ filter, value }: { filter: Filter; value: string }) {
  const { name, label, choices, suggestions, isRequired, type = "text" } = filter;
  const list = useId();
  const set = (next: string) => {
    if (next.trim() !== value && (next.trim() || !isRequired)) setQuery({ [name]: next.trim() });
  };
  if (choices) {
    const known = choices.some(([choice]) => choice === value) || value === "";
    return (
      <label class="field">
        <span>{label}</span>
        {/* Nothing chosen where something must be: what the page then shows is the first. */}
        <select
          value={value || (isRequired ? choices[0]?.[0] : "")}
          onChange={(event) => set(event.currentTarget.value)}
        >
          {!isRequired && <option value="">All</option>}
          {!known && <option value={value}>{value}</option>}
          {choices.map(([choice, title]) => (
            <option key={choice} value={choice}>
              {title}
            </option>
          ))}
        </select>
      </label>
    );
  }
  return (
    <label class={`field field-${type}`}>
      <span>{label}</span>
      <input
        type={type}
        min={type === "number" ? 0 : undefined}
        value={value}
        list={suggestions && list}
        autocomplete="off"
        spellcheck={false}
        maxLength={type === "search" ? 200 : undefined}
        onChange={(event) => set(event.currentTarget.value)}
        onInput={({ currentTarget }) =>
          suggestions?.includes(currentTarget.value) && set(currentTarget.value)
        }
        onKeyDown={(event) => event.key === "Enter" && set(event.currentTarget.value)}
      />
      {suggestions && (
        <datalist id={list}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      )}
    </label>
  );
}

/** Where nothing matches: each filter, to be taken away. */
export function SetFilters({ filters }: { filters: Filter[] }) {
  const set = filtersSet(filters);
  return (
    <ul class="set-filters">
      {filters
        .filter(({ name, isRequired }) => set[name] && !isRequired)
        .map(({ name, label }) => (
          <li key={name}>
            <button type="button" onClick={() => setQuery(without([name]))}>
              Remove {label.toLowerCase()} “{set[name]}”
            </button>
          </li>
        ))}
    </ul>
  );
}

function without(names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, ""]));
}
