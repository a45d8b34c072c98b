/** A key of the configuration, which wraps the tenants' data keys. */
export interface MasterKey {
  id: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const KEY_BYTES = 32;
const ID = /^[\w.-]{1,32}$/;

/**
 * The master keys that `CONTENT_KEYS` has, as `ID=BASE64` with commas in between; the first one writes. Throws saying what
 * is wrong with which of them. It quotes nothing: what stands in an id's place may be a key.
 */
export function parseContentKeys(text: string): [MasterKey, ...MasterKey[]] {
  const keys: MasterKey[] = [];
  for (const [index, part] of text.split(",").entries()) {
    const key = parsedKey(part.trim());
    if (typeof key === "string") throw new Error(`key ${index + 1}: ${key}`);
    if (keys.some(({ id }) => id === key.id)) throw new Error(`key ${index + 1}: another one has its id`);
    keys.push(key);
  }
  return keys as [MasterKey, ...MasterKey[]];
}

/** A key, or what is wrong with it. */
function parsedKey(part: string): MasterKey | string {
  const end = part.indexOf("=");
  const id = part.slice(0, end);
  if (end < 0 || !ID.test(id)) {
    return "write it as ID=BASE64, the id being up to 32 letters, digits, dots, hyphens or underscores";
  }
  const bytes = decoded(part.slice(end + 1));
  if (bytes?.length !== KEY_BYTES) return `what follows the id must be ${KEY_BYTES} bytes in base64`;
  return { id, bytes };
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return bytesOf(base64);
  } catch {
    return undefined;
  }
}

/** A new master key, as `CONTENT_KEYS` has it. */
export function newContentKey(id: string): string {
  if (!ID.test(id)) throw new Error("An id is up to 32 letters, digits, dots, hyphens or underscores.");
  return `${id}=${base64Of(randomBytes(KEY_BYTES))}`;
}

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** How many bytes become a text at a time: as many as a function takes arguments. */
const CHUNK = 0x8000;

export function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}

/** Throws for what is no base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
