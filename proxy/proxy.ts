/** What the proxy needs from outside. */
export interface ProxyOptions {
  /** The function's address, with its path: `https://PROJECT.supabase.co/functions/v1/monkai-api`. */
  upstream: string | undefined;
  /** The client's address as the platform saw it, undefined where it does not tell. */
  clientAddress: (request: Request) => string | undefined;
}

const REQUEST_ID = /^[\x21-\x7e][\x20-\x7e]{0,127}$/;

/** Headers between two neighbours, which no intermediary hands on: RFC 9110, section 7.6.1. */
const HOP_BY_HOP = ["connection", "proxy-connection", "keep-alive", "te", "transfer-encoding", "upgrade"];
/** What belongs to this connection or this platform, or what only this proxy may say. */
const NOT_HANDED_ON =
  /^(?:host|content-length|accept-encoding|expect|forwarded|x-real-ip|(?:x-forwarded|x-vercel|cf)-.*)$/;

/** Hands `/trace/v1/...` and `/trace/...` on to the function, and its answers back. Bodies are streamed both ways. */
export async function proxy(request: Request, options: ProxyOptions): Promise<Response> {
  const sent = request.headers.get("x-request-id") ?? "";
  const requestId = REQUEST_ID.test(sent) ? sent : crypto.randomUUID();
  const upstream = upstreamOf(options);
  if (!upstream) {
    const message = "The proxy has no upstream. Set TRACE_UPSTREAM to the function's URL.";
    return refusal(502, "internal_error", message, requestId);
  }
  const url = new URL(request.url);
  const target = targetOf(url, upstream);
  if (!target) return refusal(404, "not_found", "There is nothing here. The API is at /trace/v1.", requestId);

  const headers = handedOn(request.headers);
  headers.set("x-request-id", requestId);
  headers.set("accept-encoding", "identity"); // the platform compresses what it sends
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  headers.set("x-forwarded-prefix", "/trace");
  const client = options.clientAddress(request);
  if (client) headers.set("x-forwarded-for", client);

  try {
    const { method, body } = request;
    // A body that is a stream must say that it goes one way only; the types of `fetch` do not know it yet.
    const init = { method, headers, body, redirect: "manual", duplex: "half" } as RequestInit;
    const { status, headers: answered, body: answer } = await fetch(target, init);
    return new Response(answer, { status, headers: handedOn(answered) });
  } catch (error) {
    console.error(
      JSON.stringify({ level: "error", message: "no upstream", request_id: requestId, cause: String(error) }),
    );
    return refusal(502, "internal_error", "The API cannot be reached. Please try again.", requestId);
  }
}

function upstreamOf({ upstream }: ProxyOptions): URL | undefined {
  try {
    const url = new URL(upstream ?? "");
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Where a request goes: below the upstream's path, on the upstream's host. Undefined for all other paths. */
function targetOf({ pathname, search }: URL, upstream: URL): URL | undefined {
  // The URL has resolved `..` by now. An encoded slash would be a path's end for some servers, and not for others.
  if (!/^\/trace(?:\/|$)/.test(pathname) || /%2f|%5c/i.test(pathname)) return undefined;
  const path = pathname.slice("/trace".length).replaceAll(/\/{2,}/g, "/");
  return new URL(upstream.origin + upstream.pathname.replace(/\/+$/, "") + path + search);
}

function handedOn(headers: Headers): Headers {
  const named = (headers.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  const kept = [...headers].filter(([name]) => !dropped.has(name) && !NOT_HANDED_ON.test(name));
  return new Headers(kept);
}

/** The API's own envelope. */
function refusal(status: number, code: string, message: string, requestId: string): Response {
  const body = { error: { code, message, request_id: requestId } };
  const headers = {
    "X-Request-ID": requestId,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Request-ID",
  };
  return Response.json(body, { status, headers });
}
