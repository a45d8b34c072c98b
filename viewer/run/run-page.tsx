import type { ComponentChildren, ComponentType } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { StepPanel } from "../panel/panel.tsx";
import { Empty } from "../parts/empty.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { lazy } from "../parts/lazy.tsx";
import { ListFooter, News } from "../parts/list.tsx";
import { href, replace, route, setQuery } from "../state/route.ts";
import { Conversation } from "../views/conversation.tsx";
import { find } from "./find.ts";
import { FindBox } from "./find-box.tsx";
import { Keys, useKeys } from "./keys.tsx";
import { isError, placeOf, type Run } from "./run.ts";
import type { RunReading } from "./use-run.ts";
import type { ViewProps } from "./views.ts";

/** The tabs, the first of which is shown unless the fragment says another one. */
const VIEWS: Record<string, { title: string; view: ComponentType<ViewProps> }> = {
  conversation: { title: "Conversation", view: Conversation },
  timeline: {
    title: "Timeline",
    view: lazy(() => import("../chunks/views.ts").then(({ Timeline }) => Timeline)),
  },
  tree: { title: "Tree", view: lazy(() => import("../chunks/views.ts").then(({ Tree }) => Tree)) },
  agents: { title: "Agents", view: lazy(() => import("../chunks/views.ts").then(({ Agents }) => Agents)) },
  logs: { title: "Logs", view: lazy(() => import("../chunks/views.ts").then(({ Logs }) => Logs)) },
};
const FIRST = "conversation";

interface Props {
  reading: RunReading;
  /** What is above the tabs: a heading and figures. */
  children: ComponentChildren;
}

/** A session or a tree: its tabs, what is searched for in it, and the panel of the step that was chosen. */
export function RunPage({ reading, children }: Props) {
  const { query } = route.value;
  const { run, first } = reading;
  const chosen = query.get("step") ?? undefined;
  const text = query.get("find") ?? "";
  const found = useMemo(() => run && find(run, text), [run, text]);
  const matches = useMemo(() => found && new Set(found), [found]);
  const cameFrom = useRef<Element | null>(null);
  const asked = query.get("view") ?? FIRST;
  const name = Object.hasOwn(VIEWS, asked) ? asked : FIRST;
  const View = VIEWS[name]?.view;
  const step = run?.steps[placeOf(run, chosen)];

  const choose = (stepId: string) => {
    if (!chosen) cameFrom.current = document.activeElement;
    setQuery({ step: stepId }, replace);
  };
  const close = () => {
    setQuery({ step: "" }, replace);
    backTo(cameFrom.current, chosen);
  };
  const walk = (wanted: string[] | undefined, by: 1 | -1) => {
    const next = run && wanted && nextOf(run, wanted, chosen, by);
    if (next) choose(next);
  };
  useKeys({
    j: () =>
      walk(
        run?.steps.map(({ id }) => id),
        1,
      ),
    k: () =>
      walk(
        run?.steps.map(({ id }) => id),
        -1,
      ),
    e: () =>
      walk(
        run?.steps.filter(isError).map(({ id }) => id),
        1,
      ),
    Escape: () => step && close(),
  });

  return (
    <div class={`page page-run${step ? " has-panel" : ""}`}>
      {children}
      {first.problem && <ErrorBox problem={first.problem} retryAt={first.retryAt} retry={first.retry} />}
      {!run && !first.problem && <p class="quiet">Loading…</p>}
      {run && View && (
        <>
          <div class="run-bar">
            <Tabs current={name} />
            <FindBox text={text} found={found} chosen={chosen} next={(by) => walk(found, by)} />
            <News count={reading.news} show={reading.showNews} />
            <label class="follow">
              <input
                type="checkbox"
                checked={reading.isFollowing}
                onChange={({ currentTarget }) => reading.follow(currentTarget.checked)}
              />
              Follow
            </label>
            <Keys />
          </div>
          <div class="run-body">
            <div class={`run-view view-${name}`}>
              {run.count === 0 ? (
                <Empty title="No steps yet" />
              ) : (
                <View
                  run={run}
                  chosen={chosen}
                  choose={choose}
                  matches={matches}
                  isFollowing={reading.isFollowing}
                />
              )}
            </div>
            {step && <StepPanel run={run} step={step} close={close} refresh={reading.refresh} />}
          </div>
          {chosen && !step && <NotRead isComplete={run.isComplete} isLoading={reading.isLoadingMore} />}
          <Footer reading={reading} run={run} />
        </>
      )}
    </div>
  );
}

function Tabs({ current }: { current: string }) {
  const { path, query } = route.value;
  return (
    <nav class="tabs" aria-label="Views">
      {Object.entries(VIEWS).map(([name, { title }]) => (
        <a
          key={name}
          href={href(path, { ...Object.fromEntries(query), view: name === FIRST ? "" : name })}
          aria-current={name === current ? "page" : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

function NotRead({ isComplete, isLoading }: { isComplete: boolean; isLoading: boolean }) {
  const unread = isLoading
    ? "Looking for the step of this link…"
    : "The step of this link is not read yet: load more.";
  return (
    <p class="quiet" role="status">
      {isComplete ? "The step of this link is not here: it was never sent, or belongs elsewhere." : unread}
    </p>
  );
}

function Footer({ reading, run }: { reading: RunReading; run: Run }) {
  return (
    <>
      {reading.moreProblem && <ErrorBox problem={reading.moreProblem} retry={reading.more} />}
      <ListFooter
        unit="steps"
        shown={run.steps.length}
        count={run.count}
        hasMore={!run.isComplete}
        isLoading={reading.isLoadingMore}
        more={reading.more}
      />
    </>
  );
}

/** The one of these steps that comes after the chosen one, or before it. After the last one there is none. */
function nextOf(run: Run, wanted: string[], chosen: string | undefined, by: 1 | -1): string | undefined {
  if (chosen === undefined) return by === 1 ? wanted[0] : wanted.at(-1);
  const place = placeOf(run, chosen);
  const isBeyond = (id: string) => (placeOf(run, id) - place) * by > 0;
  return by === 1 ? wanted.find(isBeyond) : wanted.findLast(isBeyond);
}

/** The focus goes where it was before the panel came, or to the step that it showed. */
function backTo(element: Element | null, stepId: string | undefined): void {
  const row = () => document.querySelector<HTMLElement>(`[data-step="${stepId}"] button`);
  const target = element?.isConnected && element !== document.body ? (element as HTMLElement) : row();
  (target ?? document.querySelector<HTMLElement>("main"))?.focus({ preventScroll: true });
}
