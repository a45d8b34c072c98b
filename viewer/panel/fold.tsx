import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** Something that is in the document only once it is unfolded. */
export function Fold({ title, children }: { title: string; children: ComponentChildren }) {
  const isOpen = useSignal(false);
  return (
    <details
      class="fold"
      onToggle={({ currentTarget, target }) => {
        if (target === currentTarget) isOpen.value = currentTarget.open;
      }}
    >
      <summary>{title}</summary>
      {isOpen.value && children}
    </details>
  );
}
