/**
 * Stands between two hosts: run by keys_test.ts as a process in a namespace of the lab. A host that takes it for a seed
 * reaches the other host through it; then it sends everything that it overheard to the other host again.
 *
 * Arguments: its own address, and the address of the other host. Prints {@linkcode Overheard} as JSON.
 */
import assert from "node:assert/strict";
import { FRAME_BYTES_MAX } from "../../mod/base/limits.ts";

/** Frames in base64; an answer is empty when the other host closed the stream without any. */
export interface Overheard {
  readonly exchanges: readonly { readonly asked: string; readonly answered: string }[];
  /** What the other host answered when it was asked the same things again. */
  readonly again: readonly string[];
}

const PORT = 7947;
const LENGTH_BYTES = 4;

/** Who is there, and the exchange of members: what a host asks of a seed. */
const EXCHANGES = 2;

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

async function ask(hostname: string, body: Uint8Array): Promise<Uint8Array> {
  const connection = await Deno.connect({ hostname, port: PORT });
  await connection.write(framed(body));
  const answer = await readFrame(connection);
  connection.close();
  return answer;
}

if (import.meta.main) {
  const [own = "", target = ""] = Deno.args;
  const listener = Deno.listen({ hostname: own, port: PORT });
  const exchanges: { asked: Uint8Array; answered: Uint8Array }[] = [];
  while (exchanges.length < EXCHANGES) {
    const connection = await listener.accept();
    const asked = await readFrame(connection);
    const answered = await ask(target, asked);
    await connection.write(framed(answered));
    connection.close();
    exchanges.push({ asked, answered });
  }
  listener.close();
  const again: Uint8Array[] = [];
  for (const { asked } of exchanges) again.push(await ask(target, asked));
  const overheard: Overheard = {
    exchanges: exchanges.map(({ asked, answered }) => ({
      asked: asked.toBase64(),
      answered: answered.toBase64(),
    })),
    again: again.map((answer) => answer.toBase64()),
  };
  console.log(JSON.stringify(overheard));
  Deno.exit(0);
}
