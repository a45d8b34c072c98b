/** Keeps so many of `send` in flight for so many seconds. Returns how many per second were done. */
export async function perSecond(
  inFlight: number,
  seconds: number,
  send: (place: number) => Promise<void>,
): Promise<number> {
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let done = 0;
  const sender = async (place: number) => {
    while (performance.now() < end) {
      await send(place);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, place) => sender(place)));
  return done / ((performance.now() - begun) / 1000);
}
