import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** The only address that anything here listens on. */
export const loopback = "127.0.0.1";

/** A TCP port that nobody listens on. */
export function freePort(): Promise<number> {
  return listenBriefly(0);
}

/** The port in PORT, else this one. */
export function wantedPort(otherwise: number): number {
  const port = process.env.PORT || String(otherwise);
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new Error(`PORT must be a number from 0 to 65535 (0: any free port), not "${port}".`);
}

/** What to tell people whose port cannot be listened on. `command`: what they ran, as `npm run dev`. */
export function portProblem(port: number, { code }: NodeJS.ErrnoException, command: string): string {
  const reason = code === "EADDRINUSE" ? "is taken by another program" : `cannot be used (${code})`;
  return `Port ${port} ${reason}. Choose another one: PORT=${port + 1 > 65_535 ? 0 : port + 1} ${command}`;
}

/** Throws what the system says (EADDRINUSE, EACCES) when the port cannot be listened on. */
export async function checkPort(port: number): Promise<void> {
  await listenBriefly(port);
}

async function listenBriefly(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, loopback);
  await once(server, "listening");
  const { port: listenedOn } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return listenedOn;
}
