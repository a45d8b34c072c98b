import { type MasterKey, parseContentKeys } from "../../functions/monkai-api/domain/content-keys.ts";

/** The master keys of the environment, undefined where there are none. Throws, and quotes nothing, where they are written wrongly. */
export function contentKeys(): { text: string; keys: [MasterKey, ...MasterKey[]] } | undefined {
  const text = process.env.CONTENT_KEYS;
  if (text === undefined) return undefined;
  try {
    return { text, keys: parseContentKeys(text) };
  } catch (error) {
    throw new Error(`CONTENT_KEYS: ${(error as Error).message}`);
  }
}
