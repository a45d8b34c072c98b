import { useSignal } from "@preact/signals";
import { SafeText } from "../parts/safe-text.tsx";
import { Told } from "./told.tsx";

interface Props {
  value: unknown;
  version?: number;
  /** How many levels are unfolded at first. */
  open?: number;
  name?: string;
}

/** Members that are shown at once. */
const AT_ONCE = 100;
/** What has more members is folded at first. */
const MANY = 30;

/** A value as JSON. What lies deep, or has many members, is folded, and is in the document only when it is unfolded. */
export function Json({ value, version, open = 2, name }: Props) {
  if (typeof value !== "object" || value === null) {
    return (
      <div class="json">
        <Name name={name} />
        <Scalar value={value} version={version} />
      </div>
    );
  }
  return <Members value={value} version={version} open={open} name={name} />;
}

function Members({ value, version, open = 0, name }: Props & { value: object }) {
  const names = Object.keys(value);
  const isOpen = useSignal(open > 0 && names.length <= MANY);
  const shown = useSignal(AT_ONCE);
  const isList = Array.isArray(value);
  if (names.length === 0) {
    return (
      <div class="json">
        <Name name={name} />
        {isList ? "[]" : "{}"}
      </div>
    );
  }
  return (
    <details
      class="json"
      open={isOpen.value}
      onToggle={({ currentTarget, target }) => {
        if (target === currentTarget) isOpen.value = currentTarget.open;
      }}
    >
      <summary>
        <Name name={name} />
        <span class="quiet">{isList ? `[${names.length}]` : `{${names.length}}`}</span>
      </summary>
      {isOpen.value &&
        names
          .slice(0, shown.value)
          .map((member) => (
            <Json
              key={member}
              name={member}
              value={(value as Record<string, unknown>)[member]}
              version={version}
              open={open - 1}
            />
          ))}
      {isOpen.value && names.length > shown.value && (
        <p class="more">
          {shown.value.toLocaleString()} of {names.length.toLocaleString()}{" "}
          <button type="button" onClick={() => (shown.value += 1_000)}>
            Show more
          </button>
        </p>
      )}
    </details>
  );
}

function Name({ name }: { name: string | undefined }) {
  if (name === undefined) return null;
  return (
    <span class="json-name">
      <SafeText text={name} />
      {": "}
    </span>
  );
}

function Scalar({ value, version }: { value: unknown; version: number | undefined }) {
  if (typeof value !== "string") return <span class="json-scalar">{String(value)}</span>;
  return (
    <span class="json-text">
      <Told text={value} version={version} />
    </span>
  );
}
