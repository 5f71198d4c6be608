/**
 * Sends what no gossamer agent sends, to the gossip ports of living agents: run by hostile_test.ts as a
 * process in a namespace of the lab. Arguments: the targets' addresses, `--packets N`, `--seed N`.
 */
import { Random } from "../../mod/base/random.ts";
import { encode } from "../../mod/wire/codec.ts";
import { Envelope } from "../../mod/wire/envelope.ts";
import { AES_GCM } from "../../mod/host/aes_gcm.ts";
import { Keyring } from "../../mod/wire/keyring.ts";
import { encodeAlive, encodeDead, encodeSuspect } from "../../mod/wire/news_messages.ts";
import { joinParts } from "../../mod/wire/parts.ts";
import { encodePing } from "../../mod/wire/probe_messages.ts";

const PORT = 7947;

/** IPv4's most, less its header and UDP's: 65,535 - 20 - 8. */
const LARGEST_DATAGRAM_BYTES = 65_507;
const MTU_PAYLOAD_BYTES = 1472;

/** Packets sent before the receiver gets a moment: its socket buffer should drop few of them. */
const BURST = 20;

/** Streams that say nothing, and streams that say a byte now and then. */
const HALF_OPEN = 40;
const SLOW = 10;
const SLOW_INTERVAL_MS = 100;

const ID = "ab".repeat(16);
const INSTANCE = "cd".repeat(8);

const own = new Envelope("gossamer", null);
const foreign = new Envelope("another-cluster", null);
const sealed = new Envelope("gossamer", {
  keys: new Keyring([new Uint8Array(32)], AES_GCM),
  instance: INSTANCE,
});

let random = new Random(1);

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** A message that would be obeyed if it came whole, in our cluster's envelope. */
function message(): Uint8Array {
  const record = {
    incarnation: 7,
    id: ID,
    instance: INSTANCE,
    name: "phantom",
    endpoint: `192.168.100.${1 + random.below(200)}:7947`,
    version: "0.1.0",
    protocolMin: 1,
    protocolMax: 1,
    features: 0,
  };
  const choices = [
    encodeAlive(record),
    encodeSuspect(1, ID, ID),
    encodeDead(1, ID, ID),
    encodePing(random.uint32(), ID, ID),
  ];
  return choices[random.below(choices.length)] ?? encodeAlive(record);
}

/** CBOR that is well-formed and means nothing. */
function nonsense(): Uint8Array {
  const type = 1 + random.below(20);
  const values = [-1, 2 ** 40, "x".repeat(300), bytes(random.below(60)), null, [[[[1]]]], true];
  const fields = Array.from({ length: random.below(9) }, () => values[random.below(values.length)]);
  return encode([type, ...fields] as Parameters<typeof encode>[0]);
}

/** Each way to be malformed; none of these may change anything anywhere. */
const KINDS: readonly (() => Uint8Array)[] = [
  () => bytes(random.below(MTU_PAYLOAD_BYTES)),
  () => bytes(MTU_PAYLOAD_BYTES + random.below(LARGEST_DATAGRAM_BYTES - MTU_PAYLOAD_BYTES)),
  () => own.seal(bytes(random.below(600))),
  () => truncated(own.seal(joinParts([message()]))),
  () => own.seal(truncated(joinParts([message()]))),
  () => flipped(own.seal(joinParts([message()]))),
  () => foreign.seal(joinParts([message()])),
  () => sealed.seal(joinParts([message()]), { destination: bytes(8), key: null }),
  () => own.seal(joinParts([nonsense()])),
  () => own.seal(joinParts([truncated(message())])),
];

function truncated(whole: Uint8Array): Uint8Array {
  return whole.subarray(0, random.below(whole.length));
}

function flipped(whole: Uint8Array): Uint8Array {
  const copy = whole.slice();
  const at = random.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

async function sendDatagrams(targets: readonly string[], count: number): Promise<number> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  let sent = 0;
  for (let index = 0; index < count; index++) {
    const hostname = targets[index % targets.length] ?? "";
    const make = KINDS[random.below(KINDS.length)];
    if (make === undefined) continue;
    await socket.send(make(), { transport: "udp", hostname, port: PORT });
    sent++;
    if (index % BURST === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  socket.close();
  return sent;
}

/** Streams of garbage, of forged lengths, that stay silent, and that drip. Ends when `done` does. */
async function attackStreams(hostname: string, done: Promise<unknown>): Promise<number> {
  const streams: Deno.TcpConn[] = [];
  const open = async () => {
    const stream = await Deno.connect({ hostname, port: PORT });
    streams.push(stream);
    return stream;
  };
  const write = (stream: Deno.TcpConn, data: Uint8Array) => stream.write(data).catch(() => 0);
  for (let count = 0; count < HALF_OPEN; count++) await open();
  await write(await open(), bytes(5000));
  await write(await open(), Uint8Array.of(255, 255, 255, 255, 1, 2, 3));
  await write(await open(), Uint8Array.of(0, 0, 0, 0));
  await write(await open(), new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await write(await open(), framed(own.seal(joinParts([nonsense()]))));
  await write(await open(), framed(foreign.seal(joinParts([message()]))));
  (await open()).close();
  const slow = await Promise.all(Array.from({ length: SLOW }, open));
  for (const stream of slow) await write(stream, Uint8Array.of(0, 0, 16, 0));
  const drip = setInterval(() => {
    for (const stream of slow) write(stream, Uint8Array.of(0));
  }, SLOW_INTERVAL_MS);
  await done;
  clearInterval(drip);
  const opened = streams.length;
  for (const stream of streams) {
    try {
      stream.close();
    } catch {
      // The agent had closed it.
    }
  }
  return opened;
}

function framed(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  return frame;
}

if (import.meta.main) {
  const flag = (name: string) => Number(Deno.args[Deno.args.indexOf(name) + 1]);
  const targets = Deno.args.filter((text) => /^\d+\.\d+\.\d+\.\d+$/.test(text));
  random = new Random(flag("--seed"));
  const datagrams = sendDatagrams(targets, flag("--packets"));
  const streams = await Promise.all(targets.map((target) => attackStreams(target, datagrams)));
  const total = streams.reduce((sum, count) => sum + count, 0);
  console.log(`${await datagrams} datagrams and ${total} streams sent`);
  Deno.exit(0);
}
