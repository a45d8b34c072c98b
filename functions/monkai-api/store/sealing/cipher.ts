import { base64Of, bytesOf, randomBytes } from "../../domain/content-keys.ts";

const NONCE_BYTES = 12;

/** A key for AES-GCM, which can be used and not be read. */
export function cipherKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Nonce and ciphertext in base64. It opens only with the same `bound`: what it belongs to. */
export async function encrypted(
  key: CryptoKey,
  bound: string,
  plain: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm(nonce, bound), key, plain));
  const bytes = new Uint8Array(NONCE_BYTES + sealed.length);
  bytes.set(nonce);
  bytes.set(sealed, NONCE_BYTES);
  return base64Of(bytes);
}

/** Throws for what was not encrypted with this key, was bound to something else, or was changed since. */
export async function decrypted(
  key: CryptoKey,
  bound: string,
  base64: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = bytesOf(base64);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  return new Uint8Array(
    await crypto.subtle.decrypt(algorithm(nonce, bound), key, bytes.subarray(NONCE_BYTES)),
  );
}

function algorithm(iv: Uint8Array<ArrayBuffer>, bound: string) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(bound) };
}
