/**
 * Frames on a stream: four bytes of length, big-endian, then that many bytes. One frame asks, one frame answers, then the
 * stream is closed.
 */
import { WireError } from "../base/errors.ts";
import { FRAME_BYTES_MAX } from "../base/limits.ts";

const HEADER_BYTES = 4;
/** Bytes read at once: a forged length makes nobody allocate more than what really arrives. */
const CHUNK_BYTES = 64 * 1024;

interface ByteStream {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Reads one frame. Throws WireError when the length is out of range or the stream ends early.
 *
 * @param allocating is told the bytes of each part before they are allocated.
 */
export async function readFrame(
  stream: ByteStream,
  allocating: (bytes: number) => void = () => {},
): Promise<Uint8Array> {
  const header = new Uint8Array(HEADER_BYTES);
  await readFully(stream, header, "the length of a frame");
  const length = new DataView(header.buffer).getUint32(0);
  if (length < 1 || length > FRAME_BYTES_MAX) {
    throw new WireError(`a frame of ${length} bytes; 1 to ${FRAME_BYTES_MAX} are allowed`);
  }
  const chunks: Uint8Array[] = [];
  for (let missing = length; missing > 0;) {
    const chunkBytes = Math.min(missing, CHUNK_BYTES);
    allocating(chunkBytes);
    const chunk = new Uint8Array(chunkBytes);
    await readFully(stream, chunk, `a frame of ${length} bytes`);
    chunks.push(chunk);
    missing -= chunk.length;
  }
  return joinChunks(chunks, length);
}

/** Writes one frame, header and body in one buffer so that small ones leave in one segment. */
export async function writeFrame(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  const frame = new Uint8Array(HEADER_BYTES + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length);
  frame.set(bytes, HEADER_BYTES);
  for (let written = 0; written < frame.length;) {
    written += await stream.write(frame.subarray(written));
  }
}

async function readFully(stream: ByteStream, buffer: Uint8Array, what: string): Promise<void> {
  for (let filled = 0; filled < buffer.length;) {
    const count = await stream.read(buffer.subarray(filled));
    if (count === null) throw new WireError(`the stream ended within ${what}`);
    filled += count;
  }
}

function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
