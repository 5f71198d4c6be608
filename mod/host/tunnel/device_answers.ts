/** Tells senders, through the TUN device, why their packets go no further. */
import { packetCalls } from "../../../ffi/libc.ts";
import { PinnedMemory } from "../../../ffi/pinned_memory.ts";
import { DROP } from "../../dataplane/drop_reason.ts";
import { IcmpAnswers } from "../../dataplane/icmp_answer.ts";
import { mayBeCut } from "../../dataplane/ip_header.ts";
import type { Statistics } from "../../dataplane/statistics.ts";
import { clearVnetHeader, VNET_HEADER_BYTES } from "../../dataplane/vnet_header.ts";

/** The longest answer, of IPv6. */
const ANSWER_BYTES_MAX = 1_280;

export class DeviceAnswers {
  readonly #tun: number;
  readonly #packets: Uint8Array;
  readonly #statistics: Statistics;
  readonly #calls = packetCalls();
  readonly #answers = new IcmpAnswers();
  readonly #answer = new PinnedMemory(VNET_HEADER_BYTES + ANSWER_BYTES_MAX);

  /** @param packets where those are that offsets speak of. */
  constructor(tun: number, packets: Uint8Array, statistics: Statistics) {
    this.#tun = tun;
    this.#packets = packets;
    this.#statistics = statistics;
  }

  /** That nobody is there. */
  unreachable(offset: number, length: number, nowMs: number): void {
    this.#say(this.#answers.unreachable(this.#packets, offset, length, nowMs));
  }

  /**
   * Whether its sender was told, or may not be: then the packet is dropped. False for what may be cut up.
   *
   * @param size of it, or of the longest of its segments.
   */
  tooBig(offset: number, length: number, size: number, mtu: number, nowMs: number): boolean {
    if (mayBeCut(this.#packets, offset, size)) return false;
    this.#say(this.#answers.tooBig(this.#packets, offset, length, mtu, nowMs));
    this.#statistics.dropped(DROP.tooBig);
    return true;
  }

  #say(answer: Uint8Array | null): void {
    if (answer === null) return;
    const { bytes, pointer } = this.#answer;
    clearVnetHeader(bytes, 0);
    bytes.set(answer, VNET_HEADER_BYTES);
    const length = VNET_HEADER_BYTES + answer.length;
    const written = Number(this.#calls.write(this.#tun, pointer, BigInt(length)));
    if (written < 0) this.#statistics.dropped(DROP.deviceRefused);
  }
}
