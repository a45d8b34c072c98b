import { address } from "../api/client.ts";
import { listSessions, listTraces } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import { ErrorBox } from "../parts/error-box.tsx";
import { Time } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import type { Run } from "../run/run.ts";
import { href, route, setQuery } from "../state/route.ts";

const LATEST = { limit: 20 };

export function latestAddress(kind: Run["kind"]): string {
  return kind === "session"
    ? address("/sessions", LATEST)
    : address("/traces", { ...LATEST, root_only: "true" });
}

/** What there is to compare with: the latest, and a field for any other. */
export function Choose({ kind, known, missing }: { kind: Run["kind"]; known: string; missing: "a" | "b" }) {
  const latest = useResource(`latest ${kind}`, async (signal) => {
    if (kind === "session") {
      const { sessions } = await listSessions(LATEST, signal);
      return sessions.map(({ session_id, last_activity_at, agents }) => {
        return { id: session_id, at: last_activity_at, of: agents.join(", ") };
      });
    }
    const { data } = await listTraces({ ...LATEST, root_only: "true" }, signal);
    return data.map(({ id, created_at, agent }) => ({ id, at: created_at, of: agent }));
  });
  const others = latest.data?.filter(({ id }) => id !== known) ?? [];
  const choose = (id: string) => id && setQuery({ [missing]: id });
  return (
    <section class="choose">
      <p>
        Compare {known ? <SafeText text={known} /> : "two"} with which {kind}?
      </p>
      <label class="field">
        <span>Its id</span>
        <input
          autocomplete="off"
          spellcheck={false}
          onKeyDown={(event) => event.key === "Enter" && choose(event.currentTarget.value.trim())}
          onChange={(event) => choose(event.currentTarget.value.trim())}
        />
      </label>
      {latest.problem && <ErrorBox problem={latest.problem} retryAt={latest.retryAt} retry={latest.retry} />}
      {others.length > 0 && <h2>The latest {others.length}</h2>}
      <ul class="steps">
        {others.map(({ id, at, of }) => (
          <li key={id}>
            <Time value={at} />
            <a href={href(["compare"], { ...Object.fromEntries(route.value.query), [missing]: id })}>
              <SafeText text={id} />
            </a>
            <span class="line quiet">
              <SafeText text={of} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
