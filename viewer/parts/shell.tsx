import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { href, route } from "../state/route.ts";
import { signOut } from "../state/token.ts";
import { Copy } from "./copy.tsx";

const NAVIGATION = [
  { name: "sessions", title: "Sessions" },
  { name: "traces", title: "Traces" },
  { name: "search", title: "Search" },
  { name: "logs", title: "Logs" },
  { name: "usage", title: "Usage" },
  { name: "settings", title: "Settings" },
];

/** What is around every page: where else one can go. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [current] = route.value.path;
  const content = useRef<HTMLElement>(null);
  // A new page gets the focus, unless it has put it somewhere itself.
  useEffect(() => {
    if (!content.current?.contains(document.activeElement)) content.current?.focus({ preventScroll: true });
  }, [route.value.path.join("/")]);
  return (
    <div class="shell">
      <header class="bar">
        <button type="button" class="skip" onClick={() => content.current?.focus()}>
          Skip to content
        </button>
        <nav aria-label="Pages">
          {NAVIGATION.map(({ name, title }) => (
            <a key={name} href={href([name])} aria-current={name === current ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <button type="button" class="plain sign-out" onClick={() => signOut()}>
          Sign out
        </button>
      </header>
      <main ref={content} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

/** The page's title, also the document's, and the `curl` that gives what the page shows. */
export function Heading({
  title,
  curl,
  children,
}: {
  title: string;
  curl?: string;
  children?: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${title} · Agent Trace API`;
  }, [title]);
  return (
    <div class="heading">
      <h1>{title}</h1>
      {children}
      {curl && <Copy text={curl} label="Copy curl" />}
    </div>
  );
}
