import { useSignal } from "@preact/signals";
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
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
  /** Where it was scrolled to. */
  top: number;
}

/** Rows of different heights, of which only those in view are in the document. */
export function useVirtual({ box, count, keyOf, guess, top }: About): Virtualizer<HTMLElement, HTMLElement> {
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
    initialOffset: top,
    onChange: () => {
      turn.value += 1;
    },
  };
  made.current ??= new Virtualizer(options);
  const virtual = made.current;
  virtual.setOptions(options);
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  return virtual;
}
