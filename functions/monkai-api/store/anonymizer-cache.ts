import { type AnonymizationRules, Anonymizer, NO_RULES } from "../domain/anonymization/anonymizer.ts";
import { ApiError } from "../errors.ts";

const MOST_TOKENS = 1_000;

/**
 * The anonymization rules that are known here, by token. The database has the last word: it stores nothing that was
 * anonymized by other rules than the tenant's current ones, and tells them.
 */
export class AnonymizerCache {
  readonly #byToken = new Map<string, Anonymizer>();

  keep(tokenHash: string, rules: AnonymizationRules): void {
    this.#byToken.delete(tokenHash);
    this.#byToken.set(tokenHash, compiled(rules));
    const [oldest] = this.#byToken.keys();
    if (oldest !== undefined && this.#byToken.size > MOST_TOKENS) this.#byToken.delete(oldest);
  }

  /** Of a token that is not known here yet, the rules are taken to be none. */
  anonymize<Step extends object>(tokenHash: string, steps: Step[]) {
    const known = this.#byToken.get(tokenHash);
    if (known) {
      // The one that was not used for the longest time is the first to be forgotten.
      this.#byToken.delete(tokenHash);
      this.#byToken.set(tokenHash, known);
    }
    const anonymizer = known ?? new Anonymizer(NO_RULES);
    try {
      return { anonymization_version: anonymizer.version, anonymized: anonymizer.anonymize(steps) };
    } catch (cause) {
      throw failed(cause);
    }
  }
}

function compiled(rules: AnonymizationRules): Anonymizer {
  try {
    return new Anonymizer(rules);
  } catch (cause) {
    throw failed(cause);
  }
}

function failed(cause: unknown): ApiError {
  return new ApiError("anonymization_error", "This could not be anonymized. Nothing was stored.", { cause });
}
