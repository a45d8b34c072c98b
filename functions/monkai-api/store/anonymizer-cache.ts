import { type AnonymizationRules, Anonymizer, NO_RULES } from "../domain/anonymization/anonymizer.ts";
import { ApiError } from "../errors.ts";
import { Recent } from "./recent.ts";

const MOST_TOKENS = 1_000;

/**
 * The anonymization rules that are known here, by token. The database has the last word: it stores nothing that was
 * anonymized by other rules than the tenant's current ones, and tells them.
 */
export class AnonymizerCache {
  readonly #byToken = new Recent<Anonymizer>(MOST_TOKENS);

  keep(tokenHash: string, rules: AnonymizationRules): void {
    this.#byToken.set(tokenHash, compiled(rules));
  }

  /** Of a token that is not known here yet, the rules are taken to be none. */
  anonymize<Step extends object>(tokenHash: string, steps: Step[]) {
    const anonymizer = this.#byToken.get(tokenHash) ?? new Anonymizer(NO_RULES);
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
