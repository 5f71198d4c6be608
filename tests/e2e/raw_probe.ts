/** One echo request with a time to live of one's own, and whatever ICMP message comes back: what traceroute does. */
import assert from "node:assert/strict";
import { pinnedBytes, viewOf } from "../../ffi/bytes.ts";
import { encodeEcho, IPPROTO_ICMP, IPPROTO_ICMPV6 } from "../../ffi/echo_message.ts";
import { socketAddress } from "../../ffi/icmp.ts";
import { bytesToAddress } from "../../ffi/inet.ts";
import { libc } from "../../ffi/libc.ts";
import {
  AF_INET,
  AF_INET6,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  setOption,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "../../ffi/socket.ts";
import { familyOf } from "../../mod/address/cidr.ts";
import type { Namespace } from "../../mod/lab/namespace.ts";
import { sleep } from "../../mod/lab/ping.ts";

const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
/** DF is set, whatever the kernel knows of the path (linux/in.h IP_PMTUDISC_PROBE). */
const IP_PMTUDISC_PROBE = 3;
const ECHO_REPLY = 0;
/** The same of IPv6 (linux/in6.h, RFC 4443). */
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MTU_DISCOVER = 23;
const IPV6_ECHO_REPLY = 129;
const IPV6_ERRORS_END = 5;

export interface ProbeAnswer {
  readonly from: string;
  readonly type: number;
  readonly code: number;
  /** Of "fragmentation needed" (RFC 1191), or "packet too big" (RFC 4443). */
  readonly mtu: number;
}

let identifier = 0x4000;

/** Null when nothing comes back in time. */
export async function probe(
  from: Namespace,
  destination: string,
  { ttl = 64, payloadBytes = 56, timeoutMs = 1_000 } = {},
): Promise<ProbeAnswer | null> {
  const family = familyOf(destination);
  const [domain, protocol] = family === 4 ? [AF_INET, IPPROTO_ICMP] : [AF_INET6, IPPROTO_ICMPV6];
  const fd = from.run(() =>
    openSocket(domain, SOCK_RAW | SOCK_NONBLOCK, protocol, "open an ICMP socket")
  );
  try {
    if (family === 4) {
      setOption(fd, IPPROTO_IP, IP_TTL, ttl, "set the time to live");
      setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "set DF");
    } else {
      setOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, "set the hop limit");
      setOption(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_PROBE, "send it in one piece");
    }
    const id = identifier++;
    const packet = encodeEcho(family, id, 1, payloadBytes);
    const address = socketAddress(destination);
    const length = BigInt(packet.length);
    const sent = Number(libc().sendto(fd, packet, length, 0, address, address.length));
    assert.equal(sent, packet.length, `an echo request to ${destination} is sent`);
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const answer = family === 4 ? receive(fd, id) : receiveIpv6(fd, id);
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

/** The kernel gives ICMPv6 messages without the header before them, and has checked their checksum (RFC 3542 section 3). */
function receiveIpv6(fd: number, id: number): ProbeAnswer | null {
  const buffer = pinnedBytes(2_048);
  const from = pinnedBytes(28);
  const fromLength = pinnedBytes(4);
  for (;;) {
    viewOf(fromLength).setUint32(0, from.length, true);
    const room = BigInt(buffer.length);
    const got = Number(libc().recvfrom(fd, buffer, room, MSG_DONTWAIT, from, fromLength));
    if (got < 8) return null;
    const view = viewOf(buffer);
    const type = view.getUint8(0);
    const isError = type < IPV6_ERRORS_END;
    // An error has the packet it is about behind its header.
    if (!isError && type !== IPV6_ECHO_REPLY) continue;
    if (view.getUint16(isError ? 8 + 40 + 4 : 4) !== id) continue;
    const address = bytesToAddress(from.subarray(8, 24));
    const mtu = view.getUint32(4);
    return { from: address ?? "", type, code: view.getUint8(1), mtu };
  }
}
