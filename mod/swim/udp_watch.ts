/** Peers that answer over streams but not to datagrams: their overlay packets would be lost as well. */
import type { SwimEvent } from "./event.ts";
import type { Member, MemberId } from "./member.ts";

export class UdpWatch {
  readonly #blocked = new Set<MemberId>();
  readonly #report: (event: SwimEvent) => void;

  constructor(report: (event: SwimEvent) => void) {
    this.#report = report;
  }

  /** A peer answered over a stream only; reported once until it recovers. */
  fails(member: Member): void {
    if (this.#blocked.has(member.id)) return;
    this.#blocked.add(member.id);
    this.#report({
      kind: "warning",
      code: "udp-blocked",
      text: `${member.name} (${member.endpoint}) answers over TCP, but not over UDP`,
      remedy: "Allow UDP in both directions on the gossip and VXLAN ports between the two hosts",
    });
  }

  /** A peer answered a datagram, or is no longer a concern. */
  works(id: MemberId): void {
    this.#blocked.delete(id);
  }
}
