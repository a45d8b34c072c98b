import { noteLimit } from "../state/limits.ts";
import { signOut, token } from "../state/token.ts";
import { Problem } from "./problem.ts";

export type Query = Record<string, string | number | undefined>;

/** The API is where the page's own files are, one folder up; `npm run view` says where else it is. */
const told = document.querySelector<HTMLMetaElement>('meta[name="api"]')?.content;
export const API = told ?? new URL("..", import.meta.url).href.replace(/\/$/, "");

/** How many answers are kept for when the API says that nothing has changed. */
const MOST_ANSWERS = 50;
const answers = new Map<string, { version: string; body: unknown }>();

export function forgetAnswers(): void {
  answers.clear();
}

/** Where a read is: for `fetch`, and for people to copy. */
export function address(path: string, query: Query = {}): string {
  const told = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(told.map(([name, value]) => [name, `${value}`])).toString();
  return `${API}${path}${text && `?${text}`}`;
}

/** Reads something. While it has not changed, the very same object is given again. */
export async function get<Body>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Body> {
  const url = address(path, query);
  const known = answers.get(url);
  const response = await ask(url, { signal, headers: known ? { "If-None-Match": known.version } : {} });
  if (response.status === 304 && known) return known.body as Body;
  const body = await bodyOf<Body>(response);
  const version = response.headers.get("ETag");
  if (version) remember(url, version, body);
  return body;
}

/** Asks by POST what is too long for an address, as a search. */
export async function post<Body>(path: string, sent: unknown, signal?: AbortSignal): Promise<Body> {
  const headers = { "Content-Type": "application/json" };
  const init = { method: "POST", body: JSON.stringify(sent), headers, signal };
  return bodyOf<Body>(await ask(address(path), init));
}

/** Deletes what is there. */
export async function remove<Body>(path: string): Promise<Body> {
  return bodyOf<Body>(await ask(address(path), { method: "DELETE" }));
}

/** Tries a token before it is kept. */
export async function getWith<Body>(tried: string, path: string): Promise<Body> {
  return bodyOf<Body>(await send(address(path), tried, {}));
}

/** With the token of this tab. When the API refuses it, it is gone. */
async function ask(url: string, init: RequestInit): Promise<Response> {
  const used = token.peek();
  try {
    return await send(url, used, init);
  } catch (thrown) {
    const isRefused = thrown instanceof Problem && thrown.status === 401;
    if (isRefused && token.peek() === used) signOut(thrown.message);
    throw thrown;
  }
}

async function send(url: string, used: string, init: RequestInit): Promise<Response> {
  const headers = { ...init.headers, Authorization: `Bearer ${used}` };
  // The browser's own cache would outlive the sign-out.
  const response = await fetch(url, { ...init, headers, cache: "no-store", credentials: "omit" }).catch(
    noAnswer,
  );
  noteLimit(response.headers);
  if (response.ok || response.status === 304) return response;
  throw await refusalOf(response);
}

function noAnswer(thrown: unknown): never {
  if (thrown instanceof DOMException) throw thrown;
  const message = "The API cannot be reached. Are you offline?";
  throw new Problem({ status: 0, code: "no_answer", message });
}

async function bodyOf<Body>(response: Response): Promise<Body> {
  try {
    return (await response.json()) as Body;
  } catch (thrown) {
    if (thrown instanceof DOMException) throw thrown;
    throw new Problem({ status: 0, code: "no_answer", message: "The connection broke within the answer." });
  }
}

async function refusalOf(response: Response): Promise<Problem> {
  const { error, code, request_id } = await response.json().catch(noJson);
  // Under /api/v1 the error is a text.
  const told = typeof error === "object" ? error : { message: error, code, request_id };
  const seconds = Number(response.headers.get("Retry-After") || "0");
  return new Problem({
    status: response.status,
    code: told?.code ?? `${response.status}`,
    message: told?.message ?? `The API answered ${response.status}.`,
    requestId: told?.request_id ?? response.headers.get("X-Request-ID") ?? "",
    retryAfter: seconds > 0 ? seconds * 1000 : undefined,
  });
}

/** An answer that was given up in the middle refuses nothing. */
function noJson(thrown: unknown): Record<string, never> {
  if (thrown instanceof DOMException) throw thrown;
  return {};
}

function remember(url: string, version: string, body: unknown): void {
  answers.delete(url);
  answers.set(url, { version, body });
  const [oldest] = answers.keys();
  if (answers.size > MOST_ANSWERS && oldest) answers.delete(oldest);
}
