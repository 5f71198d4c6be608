/** One echo request with a time to live of one's own, and whatever ICMP message comes back: what traceroute does. */
import assert from "node:assert/strict";
import { pinnedBytes, viewOf } from "../../ffi/bytes.ts";
import { encodeEcho, IPPROTO_ICMP } from "../../ffi/echo_message.ts";
import { socketAddress } from "../../ffi/icmp.ts";
import { bytesToAddress } from "../../ffi/inet.ts";
import { libc } from "../../ffi/libc.ts";
import {
  AF_INET,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  setOption,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "../../ffi/socket.ts";
import type { Namespace } from "../../mod/lab/namespace.ts";
import { sleep } from "../../mod/lab/ping.ts";

const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
/** DF is set, whatever the kernel knows of the path (linux/in.h IP_PMTUDISC_PROBE). */
const IP_PMTUDISC_PROBE = 3;
const ECHO_REPLY = 0;

export interface ProbeAnswer {
  readonly from: string;
  readonly type: number;
  readonly code: number;
  /** Of "fragmentation needed" (RFC 1191). */
  readonly mtu: number;
}

let identifier = 0x4000;

/** Null when nothing comes back in time. */
export async function probe(
  from: Namespace,
  destination: string,
  { ttl = 64, payloadBytes = 56, timeoutMs = 1_000 } = {},
): Promise<ProbeAnswer | null> {
  const fd = from.run(() =>
    openSocket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP, "open an ICMP socket")
  );
  try {
    setOption(fd, IPPROTO_IP, IP_TTL, ttl, "set the time to live");
    setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "set DF");
    const id = identifier++;
    const packet = encodeEcho(4, id, 1, payloadBytes);
    const address = socketAddress(destination);
    const length = BigInt(packet.length);
    const sent = Number(libc().sendto(fd, packet, length, 0, address, address.length));
    assert.equal(sent, packet.length, `an echo request to ${destination} is sent`);
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const answer = receive(fd, id);
      if (answer !== null) return answer;
      await sleep(1);
    }
    return null;
  } finally {
    closeDescriptor(fd);
  }
}

function receive(fd: number, id: number): ProbeAnswer | null {
  const buffer = pinnedBytes(2_048);
  const from = pinnedBytes(28);
  const fromLength = pinnedBytes(4);
  for (;;) {
    viewOf(fromLength).setUint32(0, from.length, true);
    const room = BigInt(buffer.length);
    const got = Number(libc().recvfrom(fd, buffer, room, MSG_DONTWAIT, from, fromLength));
    if (got < 28) return null;
    const view = viewOf(buffer);
    const type = view.getUint8(20);
    // An error has the packet it is about behind its header.
    const idAt = type === ECHO_REPLY ? 24 : 20 + 8 + 20 + 4;
    if (type === 8 || view.getUint16(idAt) !== id) continue;
    const address = bytesToAddress(from.subarray(4, 8));
    return { from: address ?? "", type, code: view.getUint8(21), mtu: view.getUint16(26) };
  }
}
