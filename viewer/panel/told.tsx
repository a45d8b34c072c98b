import { useSignal } from "@preact/signals";
import { SafeText } from "../parts/safe-text.tsx";

/** Characters that are shown at once, and that each click adds. */
const AT_ONCE = 20_000;
const MORE = 200_000;

const DATA = /data:([\w.+-]+\/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/=_-]+)/;
const PLACEHOLDER = /\[(?:EMAIL|CPF|CNPJ|CARD|RG|IP|PHONE)\]/;
const SPECIAL = new RegExp(`(${DATA.source.replace(/\((?!\?)/g, "(?:")}|${PLACEHOLDER.source})`, "g");
/** Without spaces, and too long for a word. */
const BASE64 = /^[A-Za-z0-9+/_-]{400,}={0,2}$/;

/** A text that was said: what is no text in it is named, and what was redacted is marked. */
export function Told({ text, version }: { text: string; version: number | undefined }) {
  const length = useSignal(AT_ONCE);
  const media = nameOfBase64(text);
  if (media) return <span class="media">{media}</span>;
  const short = text.length > AT_ONCE ? withoutData(text) : text;
  return (
    <>
      {short
        .slice(0, length.value)
        .split(SPECIAL)
        .map((part, index) =>
          index % 2 === 0 ? (
            <SafeText key={`${index}`} text={part} />
          ) : (
            <Special key={`${index}`} text={part} version={version} />
          ),
        )}
      {short.length > length.value && (
        <span class="more">
          {length.value.toLocaleString()} of {short.length.toLocaleString()} characters{" "}
          <button type="button" onClick={() => (length.value += MORE)}>
            Show more
          </button>
        </span>
      )}
    </>
  );
}

/** What a text is that nobody reads, as "image, 1.2 MB". */
export function nameOfBase64(text: string): string | undefined {
  const [whole, type = "data", data = ""] = DATA.exec(text.slice(0, 200)) ?? [];
  if (whole && text.startsWith("data:") && !/\s/.test(text)) {
    return `${nameOfType(type)}, ${sizeText(text.length - text.indexOf(data))}`;
  }
  const looksEncoded = BASE64.test(text) && /[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text);
  return looksEncoded ? `base64, ${sizeText(text.length)}` : undefined;
}

/** What a part of a message is that holds data, as "document invoice.pdf, 12 kB". */
export function nameOfPart(part: Record<string, unknown>): string | undefined {
  const data = textsOf(part, 3).map(nameOfBase64).find(Boolean);
  if (!data) return undefined;
  const { type, title, filename, name, mime_type, media_type, modality } = part;
  const called = [title, filename, name].find((text) => typeof text === "string");
  const [own = "", size = ""] = data.split(", ");
  const isTold = own !== "base64" && own !== "data";
  const kinds = [isTold && own, modality, type, mime_type, media_type];
  const kind = kinds.find((text) => typeof text === "string" && text !== "blob");
  return `${[kind ?? own, called].filter(Boolean).join(" ")}, ${size}`;
}

function textsOf(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (depth === 0 || typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((member) => textsOf(member, depth - 1));
}

function Special({ text, version }: { text: string; version: number | undefined }) {
  const name = nameOfBase64(text);
  if (name) return <span class="media">{name}</span>;
  const by =
    version === undefined
      ? "Taken out before it was sent"
      : `Taken out by anonymization rules, version ${version}`;
  return (
    <span class="redacted" title={by}>
      {text}
    </span>
  );
}

/** Data in a long text would be cut in its middle, and then be shown as text: here only its name is left. */
export function withoutData(text: string): string {
  return text.replace(new RegExp(DATA.source, "g"), (found) => `[${nameOfBase64(found) ?? "data"}]`);
}

function nameOfType(type: string): string {
  const [kind = "data"] = type.split("/");
  return kind === "application" || kind === "text" ? type : kind;
}

/** Of so many characters of base64. */
function sizeText(characters: number): string {
  const bytes = (characters * 3) / 4;
  if (bytes < 1_000) return `${Math.round(bytes)} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
