/** Who is there, and who is known of: what majorities are counted among. */
import type { Member, MemberId } from "../swim/member.ts";
import type { Carrier } from "../swim/rider.ts";
import type { Ledger } from "./ledger.ts";

export class Roster {
  readonly #hostId: MemberId;
  readonly #ledger: Ledger;
  readonly #carrier: () => Carrier;

  constructor(hostId: MemberId, ledger: Ledger, carrier: () => Carrier) {
    this.#hostId = hostId;
    this.#ledger = ledger;
    this.#carrier = carrier;
  }

  /** Other members of that status, by id. */
  others(...statuses: readonly Member["status"][]): Member[] {
    return this.#carrier().members()
      .filter(({ id, status }) => id !== this.#hostId && statuses.includes(status));
  }

  /** Whether that host is there, as far as membership knows. */
  isPresent(hostId: MemberId): boolean {
    const status = this.#carrier().member(hostId)?.status;
    return status === "alive" || status === "suspect";
  }

  /**
   * How many the last-known hosts are: all that are or were there and did not leave, this one included, those remembered
   * from before a restart, and those whose claims stand though membership does not know them.
   */
  size(): number {
    const known = new Set<MemberId>([this.#hostId, ...this.#carrier().missing()]);
    const left = new Set<MemberId>();
    for (const { id, status } of this.#carrier().members()) {
      (status === "left" ? left : known).add(id);
    }
    for (const record of this.#ledger.records()) {
      const { hostId } = record;
      if (known.has(hostId) || left.has(hostId)) continue;
      if (this.#ledger.stands(record)) known.add(hostId);
    }
    return known.size;
  }

  /** Whether so many hosts, this one included, are more than half of the last-known ones. */
  isMajority(count: number): boolean {
    return 2 * count > this.size();
  }

  /** Whether this host sees a majority. */
  seesMajority(): boolean {
    return this.isMajority(this.others("alive").length + 1);
  }
}
