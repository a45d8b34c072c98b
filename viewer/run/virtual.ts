import { useSignal } from "@preact/signals";
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface About {
  box: RefObject<HTMLElement | null>;
  count: number;
  keyOf: (index: number) => string;
  /** Pixels, until a row is there and can be measured. */
  guess: (index: number) => number;
  /** Where it was scrolled to, when its reader left. */
  was?: Scrolled;
  /** Which place of the history is looked at. */
  entry: number;
  /** Told where it is scrolled to, when its reader leaves that place. */
  leave: (now: Scrolled) => void;
}

/** How far, and the heights of the rows that were measured: what is above would push what is in view. */
export interface Scrolled {
  top: number;
  measured: VirtualItem[];
}

/** Rows of different heights, of which only those in view are in the document. */
export function useVirtual({
  box,
  count,
  keyOf,
  guess,
  was,
  entry,
  leave,
}: About): Virtualizer<HTMLElement, HTMLElement> {
  const turn = useSignal(0);
  // Whoever reads it is drawn again when other rows come into view.
  turn.value;
  const made = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    count,
    getScrollElement: () => box.current,
    estimateSize: guess,
    getItemKey: keyOf,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    overscan: 6,
    initialOffset: was?.top ?? 0,
    initialMeasurementsCache: was?.measured ?? [],
    onChange: () => {
      turn.value += 1;
    },
  };
  made.current ??= new Virtualizer(options);
  const virtual = made.current;
  virtual.setOptions(options);
  useLayoutEffect(() => {
    return () => leave({ top: virtual.scrollOffset ?? 0, measured: virtual.takeSnapshot() });
  }, [entry]);
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  return virtual;
}
