import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Problem } from "../api/problem.ts";
import { Copy } from "./copy.tsx";
import { SafeText } from "./safe-text.tsx";

interface Props {
  problem: Problem;
  /** When it is tried again by itself. */
  retryAt?: number;
  retry?: () => void;
}

/** The API's message, code and request id. */
export function ErrorBox({ problem, retryAt, retry }: Props) {
  const { status, code, message, requestId } = problem;
  const facts = [status > 0 && `${status}`, code, requestId && `request ${requestId}`]
    .filter(Boolean)
    .join(" · ");
  return (
    <div class="problem" role="alert">
      <p>
        <SafeText text={message} />
      </p>
      <p class="facts">
        <SafeText text={facts} />
      </p>
      <p class="actions">
        {retryAt && <Countdown until={retryAt} />}
        {retry && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
        <Copy text={`${message}\n${facts}`} label="Copy error" />
      </p>
    </div>
  );
}

function Countdown({ until }: { until: number }) {
  const seconds = useSignal(secondsUntil(until));
  useEffect(() => {
    seconds.value = secondsUntil(until);
    const timer = setInterval(() => {
      seconds.value = secondsUntil(until);
    }, 500);
    return () => clearInterval(timer);
  }, [until]);
  return <span aria-live="off">Tries again in {seconds.value} s</span>;
}

function secondsUntil(moment: number): number {
  return Math.max(0, Math.ceil((moment - Date.now()) / 1000));
}
