import { useEffect, useRef } from "preact/hooks";
import { moved, type TimeWindow, zoomed } from "./window.ts";

/** What single keys do with the part that is shown. */
export const ZOOM_KEYS: Record<string, (shown: TimeWindow) => TimeWindow> = {
  "+": (shown) => zoomed(shown, 2),
  "=": (shown) => zoomed(shown, 2),
  "-": (shown) => zoomed(shown, 0.5),
  "0": () => ({ zoom: 1, at: 0 }),
};

/** Ctrl and the wheel zoom about the pointer; the wheel sideways, or with Shift, moves. Else it scrolls, as everywhere. */
export function useWheel(
  track: { current: HTMLElement | null },
  shown: TimeWindow,
  show: (next: TimeWindow) => void,
) {
  const view = useRef<HTMLDivElement>(null);
  const current = useRef({ shown, show });
  current.current = { shown, show };
  useEffect(() => {
    const onWheel = (event: WheelEvent) => {
      const { shown, show } = current.current;
      const box = track.current?.getBoundingClientRect();
      if (!box) return;
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey) {
        const about = Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(box.width, 1)));
        show(zoomed(shown, 2 ** (-event.deltaY / 200), about));
      } else if (sideways !== 0 && shown.zoom > 1) {
        show(moved(shown, sideways / Math.max(box.width, 1)));
      } else {
        return;
      }
      event.preventDefault();
    };
    // Listened to by hand: browsers take a wheel's listener for one that never prevents anything.
    view.current?.addEventListener("wheel", onWheel, { passive: false });
    return () => view.current?.removeEventListener("wheel", onWheel);
  }, []);
  return view;
}

export function ZoomButtons({ shown, show }: { shown: TimeWindow; show: (next: TimeWindow) => void }) {
  const isAll = shown.zoom === 1;
  return (
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom out" disabled={isAll} onClick={() => show(zoomed(shown, 0.5))}>
        −
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => show(zoomed(shown, 2))}>
        +
      </button>
      <button type="button" disabled={isAll} onClick={() => show({ zoom: 1, at: 0 })}>
        All
      </button>
      <span class="quiet" role="status">
        {isAll ? "" : `${Number(shown.zoom.toFixed(1))} times`}
      </span>
    </div>
  );
}
