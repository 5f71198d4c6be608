/**
 * What the data path carried and what it dropped, in memory that two threads share: the one that moves packets writes, the
 * agent's reads when somebody asks. Numbers up to 2^53 stand in eight aligned bytes each, which no reader sees half written.
 */
import { assert } from "../base/assert.ts";
import { DROP_NAMES, type DropName } from "./drop_reason.ts";

/** Packets and bytes, inner headers included, in both directions. */
export interface Traffic {
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
}

const COUNTERS = 4;
const BYTES_EACH = 8;
/** Drops stand in front, by their numbers from 1. */
const DROPS = DROP_NAMES.length + 1;

export class Statistics {
  readonly buffer: SharedArrayBuffer;
  readonly #counters: Float64Array<SharedArrayBuffer>;

  /** Over what another thread made; see {@linkcode statisticsBuffer}. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#counters = new Float64Array(buffer);
  }

  sent(slot: number, packets: number, bytes: number): void {
    this.#add(DROPS + COUNTERS * slot, packets, bytes);
  }

  received(slot: number, packets: number, bytes: number): void {
    this.#add(DROPS + COUNTERS * slot + 2, packets, bytes);
  }

  /** @param reason one of DROP, from 1. */
  dropped(reason: number, packets = 1): void {
    this.#counters[reason] = (this.#counters[reason] ?? 0) + packets;
  }

  /** Somebody else gets the place: it begins anew. Before the data path hears of it. */
  clear(slot: number): void {
    this.#counters.fill(0, DROPS + COUNTERS * slot, DROPS + COUNTERS * (slot + 1));
  }

  trafficOf(slot: number): Traffic {
    const at = DROPS + COUNTERS * slot;
    const [packetsSent = 0, bytesSent = 0, packetsReceived = 0, bytesReceived = 0] = this.#counters
      .subarray(at, at + COUNTERS);
    return { packetsSent, bytesSent, packetsReceived, bytesReceived };
  }

  drops(): Record<DropName, number> {
    const counted = DROP_NAMES.map((name, index) => [name, this.#counters[index + 1] ?? 0]);
    return Object.fromEntries(counted) as Record<DropName, number>;
  }

  #add(at: number, packets: number, bytes: number): void {
    const counters = this.#counters;
    assert(at + 1 < counters.length, "every slot has its counters");
    counters[at] = (counters[at] ?? 0) + packets;
    counters[at + 1] = (counters[at + 1] ?? 0) + bytes;
  }
}

/** Room for so many slots, all zero: 32 bytes each. */
export function statisticsBuffer(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(BYTES_EACH * (DROPS + COUNTERS * slots));
}
