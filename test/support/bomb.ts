import { constants, deflateRawSync } from "node:zlib";

const GZIP_HEADER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/** So many bytes of gzip, which would become a thousand times as many. They do not end: nobody gets there. */
export function gzipBomb(size: number): Uint8Array<ArrayBuffer> {
  const mebibyte = deflateRawSync(new Uint8Array(1024 * 1024), {
    level: 9,
    finishFlush: constants.Z_FULL_FLUSH,
  });
  const times = Math.floor(size / mebibyte.length);
  return new Uint8Array(Buffer.concat([Buffer.from(GZIP_HEADER), ...Array(times).fill(mebibyte)]));
}
