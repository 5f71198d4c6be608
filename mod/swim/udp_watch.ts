/** Peers that answer over streams but not to datagrams: their overlay packets would be lost as well. */
import type { SwimEvent } from "./event.ts";
import type { Member, MemberId } from "./member.ts";

/** Rounds in a row before it is said: once is a busy machine, or a cable that was out for a moment. */
const ROUNDS = 3;

export class UdpWatch {
  /** Rounds in a row that only a stream saved. */
  readonly #failed = new Map<MemberId, number>();
  readonly #report: (event: SwimEvent) => void;

  constructor(report: (event: SwimEvent) => void) {
    this.#report = report;
  }

  /** A peer answered over a stream only, a whole round long; reported once until it recovers. */
  fails(member: Member): void {
    const rounds = (this.#failed.get(member.id) ?? 0) + 1;
    this.#failed.set(member.id, rounds);
    if (rounds !== ROUNDS) return;
    this.#report({
      kind: "warning",
      code: "udp-blocked",
      text: `${member.name} (${member.endpoint}) answers over TCP, but not over UDP`,
      remedy: "Allow UDP in both directions on the gossip and VXLAN ports between the two hosts",
    });
  }

  /** A peer answered a datagram, or is no longer a concern. */
  works(id: MemberId): void {
    this.#failed.delete(id);
  }
}
