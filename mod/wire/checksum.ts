/** CRC-32 (IEEE 802.3, polynomial 0x04c11db7 reflected): tells damaged plain packets from whole ones. */

const TABLE = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = (value & 1) === 1 ? value >>> 1 ^ 0xedb8_8320 : value >>> 1;
  }
  TABLE[byte] = value;
}

/** Of the bytes from `start` to `end`, continuing from a checksum of what went before. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  let value = ~before;
  for (let index = start; index < end; index++) {
    value = value >>> 8 ^ (TABLE[(value ^ (bytes[index] ?? 0)) & 255] ?? 0);
  }
  return ~value >>> 0;
}
