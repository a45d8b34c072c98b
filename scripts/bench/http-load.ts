import { connect, type Socket } from "node:net";
import { loopback } from "../stack/ports.ts";

/**
 * Sends the same request over and over, by so many connections that are kept open. Returns how many per second were
 * answered. By hand, because any HTTP client is slower than what is measured here. Throws unless all answers are 200.
 */
export async function answersPerSecond(
  port: number,
  request: string,
  connections: number,
  seconds: number,
): Promise<number> {
  const begun = performance.now();
  const end = begun + seconds * 1000;
  const counts = await Promise.all(
    Array.from({ length: connections }, () => askUntil(end, connect(port, loopback), request)),
  );
  const answered = counts.reduce((sum, count) => sum + count, 0);
  return answered / ((performance.now() - begun) / 1000);
}

/** A whole POST of JSON as it goes over the wire. */
export function postRequest(path: string, headers: Record<string, string>, body: string): string {
  const lines = Object.entries({
    Host: loopback,
    "Content-Type": "application/json",
    "Content-Length": `${Buffer.byteLength(body)}`,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

function askUntil(end: number, socket: Socket, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answered = 0;
    let received = "";
    socket
      .setNoDelay()
      .on("error", reject)
      .on("close", () => reject(new Error("The connection was closed.")))
      .on("connect", () => socket.write(request));
    socket.setEncoding("latin1").on("data", (part: string) => {
      received += part;
      if (!isWhole(received)) return;
      if (!received.startsWith("HTTP/1.1 200")) {
        socket.destroy();
        return reject(new Error(received.slice(0, 500)));
      }
      answered += 1;
      received = "";
      if (performance.now() < end) return socket.write(request);
      resolve(answered);
      socket.destroy();
    });
  });
}

function isWhole(received: string): boolean {
  const bodyAt = received.indexOf("\r\n\r\n") + 4;
  if (bodyAt < 4) return false;
  const [, length] = /^content-length: (\d+)/im.exec(received) ?? [];
  return length === undefined
    ? received.endsWith("\r\n0\r\n\r\n")
    : received.length >= bodyAt + Number(length);
}
