/**
 * ICMP echo to many destinations from one socket (RFC 792, RFC 4443 §4), for who has thousands to ask. It stays in the
 * network namespace in which it was opened; nothing blocks.
 */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { EchoReader } from "./echo_reader.ts";
import { ECHO, type EchoReply, encodeEcho, IPPROTO_ICMP, IPPROTO_ICMPV6 } from "./echo_message.ts";
import { socketAddress } from "./icmp.ts";
import { check, libc } from "./libc.ts";
import {
  AF_INET,
  AF_INET6,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "./socket.ts";
import { waitForInput } from "./wait.ts";

const SOL_RAW = 255;
/** linux/icmp.h, linux/icmpv6.h: a bit map of the types that are not to be received. */
const ICMP_FILTER = 1;
/** An IPv4 header with all options, and the ICMP header: nothing else of a reply is looked at. */
const RECEIVE_BYTES = 128;

export class EchoSocket {
  readonly #family: 4 | 6;
  readonly #identifier: number;
  readonly #replies: EchoReader;
  #fd: number;

  /**
   * Needs CAP_NET_RAW; throws SysError.
   *
   * @param identifier tells this socket's replies from those of others in the namespace, 0 to 65535.
   */
  constructor(family: 4 | 6, identifier: number) {
    this.#family = family;
    this.#identifier = identifier;
    this.#replies = new EchoReader(family, identifier, RECEIVE_BYTES);
    const [domain, protocol] = family === 4 ? [AF_INET, IPPROTO_ICMP] : [AF_INET6, IPPROTO_ICMPV6];
    this.#fd = openSocket(domain, SOCK_RAW | SOCK_NONBLOCK, protocol, "open an ICMP socket");
    try {
      this.#receiveOnly(ECHO[family].reply);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Sends one echo request without payload; whether it went out. It does not where there is no way to the destination, or no
   * room in a buffer: to who asks, a silence like others.
   */
  send(destination: string, sequence: number): boolean {
    const packet = encodeEcho(this.#family, this.#identifier, sequence, 0);
    const address = socketAddress(destination);
    // An ICMP error that came in earlier is reported by the next send, which then is not done.
    for (let attempt = 0; attempt < 2; attempt++) {
      const length = BigInt(packet.length);
      const sent = libc().sendto(this.#fd, packet, length, MSG_DONTWAIT, address, address.length);
      if (Number(sent) >= 0) return true;
    }
    return false;
  }

  /** The replies that have come in since the last call. */
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

  /** Pings of other programs do not wake us, nor fill our buffer. */
  #receiveOnly(type: number): void {
    const v4 = this.#family === 4;
    const words = v4 ? 1 : 8;
    const filter = pinnedBytes(4 * words);
    filter.fill(0xff);
    const word = 4 * (type >>> 5);
    viewOf(filter).setUint32(word, ~(1 << (type & 31)) >>> 0, true);
    const level = v4 ? SOL_RAW : IPPROTO_ICMPV6;
    check(
      "filter an ICMP socket",
      libc().setsockopt(this.#fd, level, ICMP_FILTER, filter, filter.length),
    );
  }
}
