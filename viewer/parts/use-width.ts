import { useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

/** How wide an element is, in pixels, also after it has changed. 0: it is not there yet. */
export function useWidth(box: { current: HTMLElement | null }): number {
  const width = useSignal(0);
  useLayoutEffect(() => {
    if (!box.current) return;
    const element = box.current;
    const measure = () => {
      width.value = element.clientWidth;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width.value;
}
