/** What the search looks at in a host. */
import type { ClaimRecord } from "../../mod/claim/record.ts";
import type { LifeState } from "../../mod/claim/snapshot.ts";
import type { Catalogue } from "./catalogue.ts";
import type { OpenedClaimant } from "./opened_tree.ts";

export interface View {
  readonly isUp: boolean;
  readonly stage: LifeState | "down";
  /** Index of the subnet held, as the host itself believes; -1 for none. */
  readonly held: number;
  readonly subnet: string | null;
  readonly reason: string | null;
  readonly own: ClaimRecord | null;
  readonly isSettled: boolean;
  /** The latest record of each host known here, by host; bytes as payload numbers. */
  readonly records: readonly (KnownRecord | null)[];
  /** Owners by the order alone. */
  readonly owners: string;
  /** Records that count, and the fence: tombstones are dropped here sooner than there. */
  readonly knowledge: string;
  readonly fence: ReadonlyMap<string, number>;
  readonly complete: boolean;
}

export interface KnownRecord {
  readonly record: ClaimRecord;
  readonly payload: number;
}

export function viewOf(hosts: Catalogue, claimant: OpenedClaimant | null): View {
  const none = hosts.ids.map(() => null);
  if (claimant === null) {
    return {
      isUp: false,
      stage: "down",
      held: -1,
      subnet: null,
      reason: null,
      own: null,
      isSettled: true,
      records: none,
      owners: "",
      knowledge: "",
      fence: new Map(),
      complete: false,
    };
  }
  const { state, subnet, reason, complete } = claimant.snapshot();
  const { ledger, own } = claimant.$context;
  const entries = ledger.entries();
  const records = hosts.ids.map((id) => {
    const entry = ledger.entry(id);
    return entry === undefined
      ? null
      : { record: entry.record, payload: hosts.recordId(entry.bytes) };
  });
  const fence = new Map(ledger.fence.entries().map(({ subnet, epoch }) => [subnet, epoch]));
  return {
    isUp: true,
    stage: state,
    held: state === "held" && subnet !== null ? hosts.subnets.indexOf(subnet) : -1,
    subnet,
    reason,
    own: own.announced,
    isSettled: own.latest === own.announced,
    records,
    owners: ledger.owners().map(({ hostId, subnet }) => `${hostId.slice(0, 2)}=${subnet}`).join(),
    knowledge: entries.filter(({ record }) => ledger.stands(record))
      .map(({ bytes }) => hosts.recordId(bytes)).join() +
      "/" +
      [...fence].map(([subnet, epoch]) => `${subnet}=${epoch}`).join(),
    fence,
    complete,
  };
}
