import { useRef } from "preact/hooks";
import { replace, setQuery } from "../state/route.ts";
import { useKeys } from "./keys.tsx";

interface Props {
  text: string;
  /** The ids of the steps that have the text; undefined: there is none. */
  found: string[] | undefined;
  chosen: string | undefined;
  next: (by: 1 | -1) => void;
}

/** Finds steps of the run by what they are, and by the beginning of what they say: n of N, the next one, the one before. */
export function FindBox({ text, found, chosen, next }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  const place = found && chosen ? found.indexOf(chosen) + 1 : 0;
  return (
    <search class="find">
      <input
        ref={field}
        type="search"
        aria-label="Find in these steps"
        placeholder="Find (/)"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => setQuery({ find: currentTarget.value }, replace)}
        onKeyDown={(event) => {
          if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") setQuery({ find: "" }, replace);
        }}
      />
      {found && (
        <>
          <span role="status" class="quiet">
            {place > 0 ? `${place.toLocaleString()} of ` : ""}
            {found.length === 0 ? "none" : found.length.toLocaleString()}
          </span>
          <button type="button" aria-label="Previous match" onClick={() => next(-1)}>
            ↑
          </button>
          <button type="button" aria-label="Next match" onClick={() => next(1)}>
            ↓
          </button>
        </>
      )}
    </search>
  );
}
