/** Hosts whose first choice of a subnet is known beforehand: the choice follows from the host's id. */
import { encodeClaimMemory } from "../../mod/claim/memory.ts";
import { rendezvousOrder } from "../../mod/claim/rendezvous.ts";
import type { Host } from "../../mod/lab/host.ts";

/** The default pool: 10.244.0.0/16 in /24s without the first. */
const POOL = Array.from({ length: 255 }, (_, third) => `10.244.${third + 1}.0/24`);
const CLUSTER = "gossamer";

/** Host ids whose owners, finding everything but `taken` free, choose the same subnet first. */
export function sameFirstChoice(
  count: number,
  taken: readonly string[],
): { subnet: string; ids: string[] } {
  const free = POOL.filter((subnet) => !taken.includes(subnet));
  const byChoice = new Map<string, string[]>();
  for (let number = 1;; number++) {
    const id = number.toString(16).padStart(32, "0");
    const [subnet = ""] = rendezvousOrder(CLUSTER, id, free);
    const ids = [...byChoice.get(subnet) ?? [], id];
    if (ids.length === count) return { subnet, ids };
    byChoice.set(subnet, ids);
  }
}

/** Makes a host one that has run before, under this identity, and never claimed anything. */
export function giveIdentity(host: Host, hostId: string): void {
  const memory = {
    hostId,
    generation: 1,
    lamport: 0,
    fence: [],
    record: null,
    previous: null,
  };
  Deno.writeFileSync(`${host.stateDir}/claim.state`, encodeClaimMemory(memory));
}
