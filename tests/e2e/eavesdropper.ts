/**
 * Stands where a seed should be, and sends what a host says to it to another host: run by keys_test.ts as a process in a
 * namespace of the lab. Arguments: its own address, and the address of the other host. Prints what it heard and what
 * the other host answered, as JSON in base64.
 */
import assert from "node:assert/strict";
import { FRAME_BYTES_MAX } from "../../mod/base/limits.ts";

/** What it overheard, each in base64; the answer is empty when the other host closed the stream without any. */
export interface Overheard {
  readonly asked: string;
  readonly answered: string;
}

const PORT = 7947;
const LENGTH_BYTES = 4;

async function readFrame(connection: Deno.Conn): Promise<Uint8Array> {
  const head = await readExactly(connection, LENGTH_BYTES);
  if (head === null) return new Uint8Array();
  const length = new DataView(head.buffer).getUint32(0);
  assert(length <= FRAME_BYTES_MAX, `a frame of ${length} bytes`);
  return await readExactly(connection, length) ?? new Uint8Array();
}

/** Null when the stream ends before that. */
async function readExactly(
  connection: Deno.Conn,
  count: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await connection.read(bytes.subarray(at));
    if (read === null) return null;
    at += read;
  }
  return bytes;
}

function framed(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, LENGTH_BYTES);
  return frame;
}

if (import.meta.main) {
  const [own = "", target = ""] = Deno.args;
  const listener = Deno.listen({ hostname: own, port: PORT });
  const seedSeeker = await listener.accept();
  const asked = await readFrame(seedSeeker);
  const other = await Deno.connect({ hostname: target, port: PORT });
  await other.write(framed(asked));
  const answered = await readFrame(other);
  const overheard: Overheard = { asked: asked.toBase64(), answered: answered.toBase64() };
  console.log(JSON.stringify(overheard));
  Deno.exit(0);
}
