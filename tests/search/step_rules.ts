/** What must hold of one host and one step of it, whatever the others do. */
import type { Catalogue } from "./catalogue.ts";
import type { Input } from "./input.ts";
import type { Local } from "./place.ts";

/** The rule that a step broke, in words; null for none. */
export function stepBreach(
  hosts: Catalogue,
  before: Local,
  input: Input,
  after: Local,
  items: readonly number[],
): string | null {
  return fenceFell(before, after) ?? rankFell(hosts, before, after) ??
    changedByMessage(before, input, after) ?? announcedTooEarly(hosts, after, items) ??
    heldBelowFence(after) ?? notGoneOn(hosts, before, input, after);
}

/** L4: who held before a restart holds again at once. */
function notGoneOn(hosts: Catalogue, before: Local, input: Input, { view }: Local): string | null {
  const last = hosts.memory(before.disk)?.record ?? null;
  if (input.kind !== "start" || last?.state !== "held" || view.subnet === last.subnet) return null;
  return `L4: it held ${last.subnet} before its restart, and is ${view.stage} after it`;
}

/** S6: a fence never falls. */
function fenceFell(before: Local, after: Local): string | null {
  for (const [subnet, epoch] of before.view.fence) {
    if (before.view.isUp && after.view.isUp && (after.view.fence.get(subnet) ?? 0) < epoch) {
      return `S6: the fence of ${subnet} fell from ${epoch}`;
    }
  }
  return null;
}

/** S6: nobody stays held below the fence of its subnet, but for a write under way. */
function heldBelowFence({ view }: Local): string | null {
  if (view.held < 0 || view.own === null || !view.isSettled) return null;
  const fence = view.fence.get(view.own.subnet) ?? 0;
  return view.own.epoch >= fence
    ? null
    : `S6: it stays held with epoch ${view.own.epoch}, though it knows the fence ${fence}`;
}

/** S11: the rank of a holder never falls. */
function rankFell(hosts: Catalogue, before: Local, after: Local): string | null {
  const [one, other] = [before.view.own, after.view.own];
  if (before.view.held < 0 || before.view.held !== after.view.held) return null;
  if (one === null || other === null) return null;
  return hosts.tree.compareClaims(other, one) < 0
    ? "S11: the rank of its claim fell while it held"
    : null;
}

/** S12: nothing but its own writes changes a host's record. */
function changedByMessage(before: Local, input: Input, after: Local): string | null {
  if (!before.view.isUp || input.kind === "persisted") return null;
  const [one, other] = [before.view.own, after.view.own];
  const isSame = one === other ||
    one !== null && other !== null && one.generation === other.generation &&
      one.sequence === other.sequence && one.state === other.state;
  return isSame ? null : "S12: its own record changed without a write of its own";
}

/** Persisted before announced: nobody hears of a record that a power cut would undo. */
function announcedTooEarly(hosts: Catalogue, { host, disk }: Local, items: readonly number[]) {
  const onDisk = hosts.memory(disk)?.record ?? null;
  for (const id of items) {
    const { kind, payload } = hosts.item(id);
    if (kind !== "letter" && kind !== "gossip") continue;
    for (const record of hosts.told(payload)) {
      if (record.hostId !== hosts.ids[host]) continue;
      const isDurable = onDisk !== null &&
        (record.generation < onDisk.generation ||
          record.generation === onDisk.generation && record.sequence <= onDisk.sequence);
      if (!isDurable) return "it announces a record that is not safe on its disk";
    }
  }
  return null;
}
