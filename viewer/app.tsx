import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Sessions } from "./pages/sessions.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { Empty } from "./parts/empty.tsx";
import { lazy } from "./parts/lazy.tsx";
import { Shell } from "./parts/shell.tsx";
import { href, replace, route } from "./state/route.ts";
import { token } from "./state/token.ts";

const Session = lazy(() => import("./chunks/runs.ts").then(({ Session }) => Session));
const Traces = lazy(() => import("./chunks/pages.ts").then(({ Traces }) => Traces));
const Trace = lazy(() => import("./chunks/runs.ts").then(({ Trace }) => Trace));
const Compare = lazy(() => import("./chunks/views.ts").then(({ Compare }) => Compare));
const Search = lazy(() => import("./chunks/pages.ts").then(({ Search }) => Search));
const Logs = lazy(() => import("./chunks/pages.ts").then(({ Logs }) => Logs));
const Usage = lazy(() => import("./chunks/pages.ts").then(({ Usage }) => Usage));
const Settings = lazy(() => import("./chunks/pages.ts").then(({ Settings }) => Settings));

/** The pages, by the first part of the fragment; `below`: the one for what has an id, as `#/sessions/S`. */
const PAGES: Record<string, { page: ComponentType; below?: ComponentType<{ id: string }> }> = {
  sessions: { page: Sessions, below: Session },
  traces: { page: Traces, below: Trace },
  compare: { page: Compare },
  search: { page: Search },
  logs: { page: Logs },
  usage: { page: Usage },
  settings: { page: Settings },
};

export function App() {
  if (!token.value) return <SignIn />;
  return (
    <Shell>
      <Page />
    </Shell>
  );
}

function Page() {
  const [name = "", id, ...rest] = route.value.path;
  const isStart = name === "";
  useEffect(() => {
    // The address, and not the route: by now it may already lead elsewhere.
    if (isStart && /^#?\/?$/.test(location.hash)) replace(["sessions"]);
  }, [isStart]);
  if (isStart) return null;

  const { page: List, below: One } = (Object.hasOwn(PAGES, name) && PAGES[name]) || {};
  if (rest.length === 0 && id === undefined && List) return <List />;
  if (rest.length === 0 && id && One) return <One key={id} id={id} />;
  return (
    <Empty title="There is no such page">
      <a href={href(["sessions"])}>All sessions</a>
    </Empty>
  );
}
