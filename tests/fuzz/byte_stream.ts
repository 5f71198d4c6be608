/** Streams over bytes in memory, for what reads and writes frames. */

/** Hands out the bytes, in pieces as a network would; notes what is written. */
export function byteStream(bytes: Uint8Array, pieceBytes = 1000) {
  let left = bytes;
  return {
    read(buffer: Uint8Array): Promise<number | null> {
      if (left.length === 0) return Promise.resolve(null);
      const piece = left.subarray(0, Math.min(pieceBytes, buffer.length));
      left = left.subarray(piece.length);
      buffer.set(piece);
      return Promise.resolve(piece.length);
    },
    write: (written: Uint8Array): Promise<number> => Promise.resolve(written.length),
  };
}

/** A frame with its length in front. */
export function framed(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  return frame;
}
