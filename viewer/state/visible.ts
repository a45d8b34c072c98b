/** Calls `act` at once, or when the page is looked at again; not at all where the signal ends before. */
export function whenVisible(act: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  if (document.hidden) {
    const options = { once: true, signal };
    document.addEventListener("visibilitychange", () => whenVisible(act, signal), options);
  } else {
    act();
  }
}
