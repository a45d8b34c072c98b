import { useEffect, useRef } from "preact/hooks";
import { hasKeys } from "../state/preferences.ts";

/** Does something at single keys: not while one types, and only for who wants them. Escape is no such key. */
export function useKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isFree = event.key === "Escape" || hasKeys.peek();
      if (!isFree || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || !Object.hasOwn(latest.current, event.key)) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      latest.current[event.key]?.();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

const KEYS = [
  ["j", "next step"],
  ["k", "step before"],
  ["e", "next error"],
  ["/", "find"],
  ["?", "these keys"],
  ["Esc", "close the step"],
] as const;

/** Which keys there are. */
export function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = () => dialog.current?.showModal();
  useKeys({ "?": open });
  return (
    <>
      <button type="button" class="plain keys-button" aria-label="Keys" title="Keys (?)" onClick={open}>
        ?
      </button>
      <dialog ref={dialog} class="keys" aria-label="Keys">
        <h2>Keys</h2>
        <dl class="facts-list">
          {KEYS.map(([key, title]) => [
            <dt key={key}>
              <kbd>{key}</kbd>
            </dt>,
            <dd key={title}>{title}</dd>,
          ])}
        </dl>
        {!hasKeys.value && <p>Single keys are switched off in the settings.</p>}
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </dialog>
    </>
  );
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const isField = target instanceof HTMLInputElement && !["radio", "checkbox"].includes(target.type);
  return isField || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
