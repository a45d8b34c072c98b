import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { API } from "../api/client.ts";
import { tryToken } from "../api/operations.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { ErrorBox } from "../parts/error-box.tsx";
import { refusal, signIn } from "../state/token.ts";

const REASONS: Record<string, string> = {
  invalid_token: "This token is not known here.",
  token_expired: "This token has expired.",
  token_inactive: "This token was revoked.",
};

/** `#/`, and every other place while nobody is signed in: the place stays, and is shown after the sign-in. */
export function SignIn() {
  const field = useRef<HTMLInputElement>(null);
  const problem = useSignal<Problem | undefined>(undefined);
  const isTrying = useSignal(false);
  useEffect(() => {
    document.title = "Sign in · Agent Trace API";
    field.current?.focus();
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = tokenIn(field.current?.value ?? "");
    if (!given || isTrying.value) return;
    isTrying.value = true;
    problem.value = undefined;
    refusal.value = "";
    try {
      await tryToken(given);
      signIn(given);
    } catch (thrown) {
      problem.value = asProblem(thrown);
      isTrying.value = false;
      field.current?.focus();
    }
  };

  return (
    <main class="sign-in">
      <h1>Agent Trace API</h1>
      <p class="quiet">What your agents did: sessions, steps, tokens and cost.</p>
      <form onSubmit={submit}>
        <label for="token">Tracer token</label>
        <input
          id="token"
          ref={field}
          type="password"
          placeholder="tk_…"
          autocomplete="off"
          spellcheck={false}
          required
        />
        <button type="submit" class="primary" disabled={isTrying.value}>
          {isTrying.value ? "Asking…" : "Sign in"}
        </button>
      </form>
      {refusal.value && (
        <p class="problem" role="alert">
          You are signed out. {refusal.value}
        </p>
      )}
      {problem.value && <Refused problem={problem.value} />}
      <section class="hint">
        <h2>Where tokens come from</h2>
        <p>
          <code>npm run dev</code> prints one. For a deployment,{" "}
          <code>npm run token -- create --tenant NAME --scope read</code> makes one that can read and nothing
          else.
        </p>
        <p>
          The token stays in this tab until you sign out or close it, and goes to{" "}
          <span class="address">{API}</span> alone.
        </p>
      </section>
    </main>
  );
}

function Refused({ problem }: { problem: Problem }) {
  const reason = REASONS[problem.code];
  return (
    <>
      {reason && <h2 class="reason">{reason}</h2>}
      <ErrorBox problem={problem} />
    </>
  );
}

/** What was pasted may be a whole header. */
function tokenIn(text: string): string {
  return text
    .trim()
    .replace(/^Authorization:\s*/i, "")
    .replace(/^Bearer\s+/i, "")
    .replace(/[^\x21-\x7e]/g, "");
}
