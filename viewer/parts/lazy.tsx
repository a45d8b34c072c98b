import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** A page whose code is loaded when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const loaded = signal<ComponentType<Props> | undefined>(undefined);
  const failed = signal(false);
  const start = () => {
    failed.value = false;
    load().then(
      (component) => {
        loaded.value = component;
      },
      () => {
        failed.value = true;
      },
    );
  };
  return function Lazy(props: Props) {
    // Before anything is drawn: the code is what the reader waits for.
    useLayoutEffect(start, []);
    const Loaded = loaded.value;
    if (Loaded) return <Loaded {...props} />;
    if (!failed.value) return <p class="quiet">Loading…</p>;
    return (
      <div class="problem" role="alert">
        <p>This page's code could not be loaded. After a new deployment, reload the page.</p>
        <button type="button" onClick={start}>
          Try again
        </button>
      </div>
    );
  };
}
