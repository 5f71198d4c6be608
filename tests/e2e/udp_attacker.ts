/**
 * Sends what no member sends to the UDP port of a living agent: run by udp_under_attack_test.ts as a process in a member's
 * namespace. Arguments: the target's address, a member's address to pretend to be, packets.
 */
import { pinnedBytes, viewOf } from "../../ffi/bytes.ts";
import { socketAddress } from "../../ffi/icmp.ts";
import { libc } from "../../ffi/libc.ts";
import { AF_INET, openSocket, SOCK_RAW } from "../../ffi/socket.ts";
import { parseAddress } from "../../mod/address/parse.ts";
import { Random } from "../../mod/base/random.ts";

const PORT = 8285;
/** IPV4's own header goes along. */
const IPPROTO_RAW = 255;
const HEADERS_BYTES = 28;
/** As much as a datagram carries. */
const GIANT_BYTES = 65_507;
const BURST = 50;

const [target = "", member = "", packets = "0"] = Deno.args;
const random = new Random(7);

function noise(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** A whole packet that says to be from 10.x.y.z and for 10.x.y.z. */
function inner(): Uint8Array<ArrayBuffer> {
  const bytes = noise(20 + random.below(200));
  bytes[0] = 0x45 | (random.below(2) * 0x80);
  bytes[2] = bytes.length >> 8;
  bytes[3] = bytes.length & 255;
  bytes.set([10, 244], 12);
  bytes.set([10, 244], 16);
  return bytes;
}

/** Each way to be refused. */
const KINDS: readonly (() => Uint8Array<ArrayBuffer>)[] = [
  () => noise(random.below(1_400)),
  inner,
  () => inner().subarray(0, random.below(20)),
  () => noise(GIANT_BYTES),
  () => new Uint8Array(),
];

/** From the member's own address and port, which it is not allowed to use: with a subnet of nobody. */
function forged(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = pinnedBytes(HEADERS_BYTES + payload.length);
  const view = viewOf(bytes);
  view.setUint8(0, 0x45);
  view.setUint8(8, 64);
  view.setUint8(9, 17);
  view.setUint32(12, parseAddress(member));
  view.setUint32(16, parseAddress(target));
  view.setUint16(20, PORT);
  view.setUint16(22, PORT);
  view.setUint16(24, 8 + payload.length);
  bytes.set(payload, HEADERS_BYTES);
  return bytes;
}

const raw = openSocket(AF_INET, SOCK_RAW, IPPROTO_RAW, "open a raw socket");
const address = socketAddress(target);
const socket = Deno.listenDatagram({ hostname: "0.0.0.0", port: 0, transport: "udp" });
for (let count = 0; count < Number(packets); count++) {
  const kind = KINDS[count % 20 === 3 ? 3 : count % 4 === 3 ? 4 : count % 3] ?? inner;
  const payload = kind();
  if (count % 2 === 0 && payload.length < 1_400) {
    const bytes = forged(payload);
    libc().sendto(raw, bytes, BigInt(bytes.length), 0, address, address.length);
  } else await socket.send(payload, { transport: "udp", hostname: target, port: PORT });
  if (count % BURST === 0) await new Promise((resolve) => setTimeout(resolve));
}
Deno.exit(0);
