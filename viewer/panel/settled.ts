/** Milliseconds. */
const PAUSE = 120;

/** Waits for those who walk from step to step: what they pass by is not asked for. */
export function settled(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PAUSE);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
