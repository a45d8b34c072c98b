import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { replace, route, setQuery } from "../state/route.ts";
import { bounded, type TimeWindow, windowOf } from "./window.ts";

/** Milliseconds. Browsers refuse to change the address all the time. */
const PAUSE = 150;

/** What is seen of the run. It follows the fragment, and the fragment follows it when it stands still. */
export function useWindow() {
  const { query } = route.value;
  const text = `${query.get("zoom")} ${query.get("at")}`;
  const state = useSignal(windowOf(query));
  useEffect(() => {
    state.value = windowOf(route.peek().query);
  }, [text]);
  const show = (next: TimeWindow) => {
    state.value = bounded(next);
    keepWindow(state.value);
  };
  return { shown: state.value, show };
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** Writes the window into the fragment, when it has stood still for a moment and the place is still the same. */
function keepWindow({ zoom, at }: TimeWindow): void {
  clearTimeout(timer);
  const place = route.peek().path.join("/");
  timer = setTimeout(() => {
    if (route.peek().path.join("/") !== place) return;
    const isAll = zoom === 1;
    setQuery({ zoom: isAll ? "" : `${Number(zoom.toFixed(3))}`, at: isAll ? "" : at.toFixed(6) }, replace);
  }, PAUSE);
}
