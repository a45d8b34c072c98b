import { isObject, type JsonObject } from "../domain/json.ts";

/** The revision without a handshake: each request says for itself what it speaks. */
const STATELESS = "2026-07-28";

/** Those that begin with `initialize`. The oldest one's batches are refused: one request is one round trip. */
const WITH_HANDSHAKE = ["2025-11-25", "2025-06-18", "2025-03-26"];

export const VERSIONS = [STATELESS, ...WITH_HANDSHAKE];

/** Codes of JSON-RPC and of MCP, and the status that an answer with them has. */
const CODES = {
  parse_error: [-32700, 400],
  invalid_request: [-32600, 400],
  method_not_found: [-32601, 200],
  invalid_params: [-32602, 200],
  header_mismatch: [-32020, 400],
  unsupported_version: [-32022, 400],
} as const;

/** A message that breaks the protocol: answered as an error of JSON-RPC, which no model gets to see. */
export class ProtocolError extends Error {
  readonly code: number;
  readonly status: 200 | 400 | 404;
  readonly data: unknown;

  constructor(
    problem: keyof typeof CODES,
    message: string,
    options: { data?: unknown; status?: 400 | 404 } = {},
  ) {
    super(message);
    const [code, status] = CODES[problem];
    this.code = code;
    this.status = options.status ?? status;
    this.data = options.data;
  }
}

/** A request, or a notification, which has no id and wants no answer. */
export interface Message {
  id?: string | number;
  method: string;
  params: JsonObject;
}

export function readMessage(text: string): Message {
  const { jsonrpc, id, method, params = {} } = parsed(text);
  const isFormed = jsonrpc === "2.0" && typeof method === "string" && isObject(params);
  if (!isFormed || !(id === undefined || typeof id === "string" || Number.isFinite(id))) {
    throw new ProtocolError(
      "invalid_request",
      "Send one request of JSON-RPC 2.0: `jsonrpc`, `id`, `method`, `params`.",
    );
  }
  return { id: id as Message["id"], method, params };
}

function parsed(text: string): JsonObject {
  try {
    const sent = JSON.parse(text);
    return isObject(sent) ? sent : {};
  } catch {
    throw new ProtocolError("parse_error", "The body is not valid JSON.");
  }
}

/** The id to answer with, where the message is too broken for anything else. */
export function idOf(text: string): string | number | null {
  try {
    const { id } = JSON.parse(text);
    return typeof id === "string" || typeof id === "number" ? id : null;
  } catch {
    return null;
  }
}

const META = "io.modelcontextprotocol/";

/** Whether a message is of the revision without a handshake. Throws where its headers and its body do not agree. */
export function isStateless({ method, params }: Message, headers: Headers): boolean {
  const meta = isObject(params._meta) ? params._meta : {};
  const version = meta[`${META}protocolVersion`];
  const told = headers.get("MCP-Protocol-Version") ?? undefined;
  if (told !== undefined && !VERSIONS.includes(told)) throw unsupported(told);
  if (version === undefined && told !== STATELESS) return false;
  if (typeof version !== "string" || !isObject(meta[`${META}clientCapabilities`])) {
    const needed = `\`${META}protocolVersion\` and \`${META}clientCapabilities\``;
    throw new ProtocolError("invalid_params", `\`params._meta\` must have ${needed}.`, { status: 400 });
  }
  sameInHeader("MCP-Protocol-Version", told, version);
  if (version !== STATELESS) throw unsupported(version);
  sameInHeader("Mcp-Method", headers.get("Mcp-Method"), method);
  if (method === "tools/call") sameInHeader("Mcp-Name", plain(headers.get("Mcp-Name")), params.name);
  return true;
}

function unsupported(requested: string): ProtocolError {
  const data = { supported: VERSIONS, requested: requested.slice(0, 100) };
  return new ProtocolError("unsupported_version", "Unsupported protocol version", { data });
}

function sameInHeader(name: string, header: string | null | undefined, said: unknown): void {
  if (header === said) return;
  const message = `Header mismatch: ${name} must be there, and say what the body says.`;
  throw new ProtocolError("header_mismatch", message);
}

/** A header's text, which may be in Base64: `=?base64?...?=`. */
function plain(header: string | null): string | null {
  const [, base64] = /^=\?base64\?(.*)\?=$/.exec(header ?? "") ?? [];
  if (base64 === undefined) return header;
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** The version that a handshake is answered with: the client's own, or the newest that has one. */
export function handshakeVersion({ protocolVersion }: JsonObject): string {
  const known = WITH_HANDSHAKE.find((version) => version === protocolVersion);
  return known ?? (WITH_HANDSHAKE[0] as string);
}

/** What every result of the revision without a handshake has. */
export function completed(serverInfo: object) {
  return { resultType: "complete", _meta: { [`${META}serverInfo`]: serverInfo } };
}
