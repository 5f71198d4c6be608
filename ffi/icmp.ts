/**
 * ICMP echo, for the demo and the tests in place of a ping binary (RFC 792, RFC 4443 §4). A socket
 * is opened in the current network namespace and stays there; nothing blocks.
 */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { ERRNO, SysError } from "./errno.ts";
import { type EchoReply, encodeEcho, IPPROTO_ICMP, IPPROTO_ICMPV6 } from "./echo_message.ts";
import { EchoReader } from "./echo_reader.ts";
import { addressToBytes, familyOf } from "./inet.ts";
import { check, lastErrno, libc } from "./libc.ts";
import {
  AF_INET,
  AF_INET6,
  closeDescriptor,
  openSocket,
  setOption,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "./socket.ts";
import { waitForInput } from "./wait.ts";

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
/** Let packets be fragmented, here and on the way. */
const PMTUDISC_DONT = 0;
/** Set DF (on IPv6: do not fragment here), and refuse with EMSGSIZE what exceeds the path MTU. */
const PMTUDISC_DO = 2;

const RECEIVE_BYTES = 64 * 1024;
/** Most payload an IPv4 packet can carry: 65,535 - 20 - 8. */
const LARGEST_PAYLOAD_BYTES = 65_507;

/** Options of one echo request. */
export interface EchoOptions {
  /** Forbid fragmentation; off by default. */
  readonly dontFragment?: boolean;
}

let lastIdentifier = 0;

/** A socket that pings one destination. */
export class IcmpSocket {
  readonly #family: 4 | 6;
  readonly #identifier: number;
  readonly #replies: EchoReader;
  #fd: number;

  constructor(destination: string) {
    this.#family = familyOf(destination);
    // Several sockets of one process, and several processes, share a namespace.
    this.#identifier = (Deno.pid + 7919 * lastIdentifier++) & 0xffff;
    this.#replies = new EchoReader(this.#family, this.#identifier, RECEIVE_BYTES);
    const v4 = this.#family === 4;
    this.#fd = openSocket(
      v4 ? AF_INET : AF_INET6,
      SOCK_RAW | SOCK_NONBLOCK,
      v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
      "open an ICMP socket",
    );
    try {
      const address = socketAddress(destination);
      check(`ping ${destination}`, libc().connect(this.#fd, address, address.length));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Sends one echo request. "too-big" is the kernel's EMSGSIZE: with `dontFragment` the packet
   * exceeds the path MTU. Sequence numbers have 16 bits. Throws SysError, such as ENETUNREACH.
   */
  send(sequence: number, payloadBytes: number, options: EchoOptions = {}): "sent" | "too-big" {
    if (payloadBytes < 0 || payloadBytes > LARGEST_PAYLOAD_BYTES) {
      throw new Error(`Echo payload of ${payloadBytes} bytes is not within 0 to 65507`);
    }
    const v4 = this.#family === 4;
    setOption(
      this.#fd,
      v4 ? IPPROTO_IP : IPPROTO_IPV6,
      v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
      options.dontFragment === true ? PMTUDISC_DO : PMTUDISC_DONT,
      "set the path MTU discovery of an ICMP socket",
    );
    const packet = encodeEcho(this.#family, this.#identifier, sequence, payloadBytes);
    // An ICMP error that came in earlier is reported by the next send, which then is not done.
    for (let attempt = 0;; attempt++) {
      if (Number(libc().send(this.#fd, packet, BigInt(packet.length), 0)) >= 0) return "sent";
      const errno = lastErrno();
      if (errno === ERRNO.EMSGSIZE) return "too-big";
      if (attempt === 1) throw new SysError("send an ICMP echo request", errno);
    }
  }

  /** The replies that have come in since the last call. Reported ICMP errors are skipped. */
  receive(): EchoReply[] {
    return this.#replies.read(this.#fd);
  }

  /** Resolves when something is there to receive, or `timeoutMs` have passed; the socket stays open until then. */
  async arrival(timeoutMs: number): Promise<void> {
    await waitForInput(this.#fd, timeoutMs);
  }

  close(): void {
    if (this.#fd < 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** struct sockaddr_in or sockaddr_in6 without port. */
export function socketAddress(address: string): Uint8Array<ArrayBuffer> {
  const bytes = addressToBytes(address);
  const v4 = familyOf(address) === 4;
  const socket = pinnedBytes(v4 ? 16 : 28);
  viewOf(socket).setUint16(0, v4 ? AF_INET : AF_INET6, true);
  socket.set(bytes, v4 ? 4 : 8);
  return socket;
}

/** Opens an ICMP echo socket to `destination` in the current namespace; needs CAP_NET_RAW. */
export function openIcmp(destination: string): IcmpSocket {
  return new IcmpSocket(destination);
}
