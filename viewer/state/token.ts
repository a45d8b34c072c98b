import { signal } from "@preact/signals";
import { forgetAnswers } from "../api/client.ts";
import { forgetLimits } from "./limits.ts";
import { forgetPlaces } from "./places.ts";

const KEY = "tracer-token";

/** The token, in this tab alone: another tab, and another window, asks for its own. */
export const token = signal(sessionStorage.getItem(KEY) ?? "");

/** Why the sign-in is shown, where the API has refused the token. */
export const refusal = signal("");

export function signIn(given: string): void {
  sessionStorage.setItem(KEY, given);
  refusal.value = "";
  token.value = given;
}

/** Forgets the token and all that was read with it. The place stays, for whoever signs in next. */
export function signOut(reason = ""): void {
  sessionStorage.removeItem(KEY);
  forgetAnswers();
  forgetPlaces();
  forgetLimits();
  refusal.value = reason;
  token.value = "";
}
