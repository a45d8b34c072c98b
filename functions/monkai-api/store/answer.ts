import { isObject, type JsonObject } from "../domain/json.ts";
import { ApiError } from "../errors.ts";

/** What supabase-js makes of an answer. `status` is 0 where there was none. */
interface Response {
  data: unknown;
  error: { code?: string; message: string } | null;
  status: number;
}

/** Errors that come and go with the state of the database, by SQLSTATE class: connections, locks, resources, shutdown, disk. */
const OUT_OF_ORDER = /^(?:08|40|53|55|57|58)...$/;
/** "Data exception": the message quotes what could not be read, or was too large. */
const ABOUT_A_VALUE = /^22/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** The object that a SQL function has answered with. Whatever else comes back instead is an outage. */
export function answerOf({ data, error, status }: Response): JsonObject {
  if (!error && isObject(data)) return data;

  const code = error?.code ?? "";
  if (SQLSTATE.test(code) && !OUT_OF_ORDER.test(code)) {
    // Not the error's details: they may quote the row, which is what a client said. So does a message about a value.
    const cause = ABOUT_A_VALUE.test(code) ? code : `${code}: ${error?.message}`;
    throw new ApiError("internal_error", "The database could not do this. Please try again.", { cause });
  }
  throw new ApiError("internal_error", "The database is out of order. Please try again in a moment.", {
    status: 503,
    cause: causeOf(code, error?.message, status),
  });
}

/** For the log. An answer that does not come from our functions is not quoted: it may say anything. */
function causeOf(code: string, message: string | undefined, status: number): string {
  if (code) return `${code}: ${message}`;
  return status === 0 ? `no answer: ${message}` : `an answer with status ${status} that is none`;
}
