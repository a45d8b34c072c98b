/**
 * Characters that show as nothing, or change how their neighbours show: control characters but for tab and line feed, and
 * those that turn the direction of writing. Joiners stay: Persian words and many emoji are made with them.
 */
const INVISIBLE = /((?![\t\n])[\p{Cc}\p{Bidi_Control}\u200b\u2028\u2029\u2060-\u2064\ufeff])/u;

/** A text that others wrote. What one could not see is shown as a mark; it turns no text around it. */
export function SafeText({ text }: { text: string }) {
  const parts = text.split(INVISIBLE);
  return (
    <bdi>
      {parts.map((part, index) =>
        index % 2 === 0 ? part : <Mark key={`${index}`} code={part.codePointAt(0) ?? 0} />,
      )}
    </bdi>
  );
}

function Mark({ code }: { code: number }) {
  return <span class="mark">U+{code.toString(16).toUpperCase().padStart(4, "0")}</span>;
}
