import { signal } from "@preact/signals";

// The same as in style/page.css.
const narrow = matchMedia("(max-width: 640px)");

/** Whether there is room for one column alone. */
export const isNarrow = signal(narrow.matches);

narrow.addEventListener("change", () => {
  isNarrow.value = narrow.matches;
});
