import { address } from "../api/client.ts";
import { Both } from "../compare/both.tsx";
import { Choose, latestAddress } from "../compare/choose.tsx";
import { Copy, curlOf } from "../parts/copy.tsx";
import { Heading } from "../parts/shell.tsx";
import type { Run } from "../run/run.ts";
import { route } from "../state/route.ts";

/** `#/compare?a=&b=`: two traces, or with `kind=session` two sessions, side by side. */
export function Compare() {
  const { query } = route.value;
  const kind: Run["kind"] = query.get("kind") === "session" ? "session" : "trace";
  const a = query.get("a") ?? "";
  const b = query.get("b") ?? "";
  return (
    <div class="page page-compare">
      <Heading title="Compare" curl={a && b ? undefined : curlOf(latestAddress(kind))}>
        {a && b && (
          <>
            <Copy text={curlOf(stepsAddress(kind, a))} label="Copy curl of A" />
            <Copy text={curlOf(stepsAddress(kind, b))} label="Copy curl of B" />
          </>
        )}
      </Heading>
      {a && b ? (
        <Both key={`${kind} ${a} ${b}`} kind={kind} a={a} b={b} />
      ) : (
        <Choose kind={kind} known={a || b} missing={a ? "b" : "a"} />
      )}
    </div>
  );
}

function stepsAddress(kind: Run["kind"], id: string): string {
  if (kind === "session") return address(`/sessions/${encodeURIComponent(id)}/steps`, { limit: 5000 });
  return address(`/traces/${encodeURIComponent(id)}/steps`, { scope: "tree", limit: 5000 });
}
