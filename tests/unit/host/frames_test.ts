/** Frames over a made-up stream that hands out bytes in the pieces it is told to. */
import assert from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import { FRAME_BYTES_MAX } from "../../../mod/base/limits.ts";
import { readFrame, writeFrame } from "../../../mod/host/frames.ts";

class PieceStream {
  readonly written: number[] = [];
  #bytes: Uint8Array;
  constructor(bytes: Uint8Array | number[], readonly pieceBytes: number) {
    this.#bytes = Uint8Array.from(bytes);
  }
  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#bytes.length === 0) return Promise.resolve(null);
    const piece = this.#bytes.subarray(0, Math.min(this.pieceBytes, buffer.length));
    buffer.set(piece);
    this.#bytes = this.#bytes.subarray(piece.length);
    return Promise.resolve(piece.length);
  }
  write(bytes: Uint8Array): Promise<number> {
    const piece = bytes.subarray(0, this.pieceBytes);
    for (const byte of piece) this.written.push(byte);
    return Promise.resolve(piece.length);
  }
}

for (const pieceBytes of [1, 3, 70_000, 10_000_000]) {
  Deno.test(`a frame written and read in pieces of ${pieceBytes} bytes is whole`, async () => {
    for (const length of [1, 5, 200_000]) {
      const body = Uint8Array.from({ length }, (_, index) => index % 251);
      const out = new PieceStream([], pieceBytes);
      await writeFrame(out, body);
      assert.deepEqual(await readFrame(new PieceStream(out.written, pieceBytes)), body);
    }
  });
}

Deno.test("readFrame refuses a length out of range before it allocates", async () => {
  for (const length of [0, FRAME_BYTES_MAX + 1, 0xffff_ffff]) {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length);
    await assert.rejects(readFrame(new PieceStream(header, 4)), WireError);
  }
});

Deno.test("readFrame refuses a stream that ends early", async () => {
  for (const bytes of [[], [0, 0], [0, 0, 0, 9, 1, 2, 3]]) {
    await assert.rejects(readFrame(new PieceStream(bytes, 4)), /the stream ended within/);
  }
});
