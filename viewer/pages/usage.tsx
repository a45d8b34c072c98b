import { address } from "../api/client.ts";
import { getUsage } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { UsageFigures } from "../api/types.ts";
import { curlOf } from "../parts/copy.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Duration, Money, Tokens } from "../parts/figures.tsx";
import { type Filter, Filters, filtersSet } from "../parts/filters.tsx";
import { Heading } from "../parts/shell.tsx";

const FILTERS: Filter[] = [
  { name: "namespace", label: "Namespace" },
  { name: "agent", label: "Agent" },
  { name: "model", label: "Model" },
  { name: "start_date", label: "From", type: "date" },
  { name: "end_date", label: "Until", type: "date" },
];
const COLUMNS = ["Day", "Calls", "Errors", "Tokens in → out", "Cost", "p50", "p95"];

/** `#/usage`: what was used, day by day of the browser's time zone. */
export function Usage() {
  const query = {
    ...filtersSet(FILTERS),
    by: "day",
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
  const { data, problem, retryAt, retry } = useResource(JSON.stringify(query), (signal) =>
    getUsage(query, signal),
  );
  return (
    <div class="page">
      <Heading title="Usage" curl={curlOf(address("/usage", query))} />
      <Filters filters={FILTERS} />
      {problem && <ErrorBox problem={problem} retryAt={retryAt} retry={retry} />}
      {!data && !problem && <p class="quiet">Loading…</p>}
      {data && (
        <section class="wide" tabIndex={0} aria-label="Usage by day">
          <table>
            <thead>
              <tr>
                {COLUMNS.map((title) => (
                  <th key={title} scope="col" class={title === "Day" ? "" : "number"}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.rows.map((row) => (
                <Figures key={row.day} title={row.day ?? ""} row={row} />
              ))}
            </tbody>
            <tfoot>
              <Figures title="Total" row={data.totals} />
            </tfoot>
          </table>
        </section>
      )}
    </div>
  );
}

function Figures({ title, row }: { title: string; row: UsageFigures }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      <td class="number">
        <Count value={row.calls} />
      </td>
      <td class={`number${row.errors ? " failed" : ""}`}>
        <Count value={row.errors} />
      </td>
      <td class="number">
        <Tokens input={row.input_tokens} output={row.output_tokens} />
      </td>
      <td class="number">
        <Money value={row.cost} />
      </td>
      <td class="number">
        <Duration milliseconds={row.latency_ms.p50} />
      </td>
      <td class="number">
        <Duration milliseconds={row.latency_ms.p95} />
      </td>
    </tr>
  );
}
