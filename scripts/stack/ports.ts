import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** The only address that anything here listens on. */
export const loopback = "127.0.0.1";

/** A TCP port that nobody listens on. */
export function freePort(): Promise<number> {
  return listenBriefly(0);
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
