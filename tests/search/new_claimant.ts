/** Claimants as they are before their first step. */
import assert from "node:assert/strict";
import type { ClaimOptions } from "../../mod/claim/options.ts";
import type { Catalogue } from "./catalogue.ts";
import type { FakeCarrier } from "./fake_carrier.ts";
import { instanceOf } from "./identity.ts";
import { startsOf, UNKNOWN } from "./member_code.ts";
import type { OpenedClaimant } from "./opened_tree.ts";
import type { Place } from "./place.ts";

const CLUSTER = "search";
/** Chance is left out: the first ones are taken, and pauses are of middle length. */
const NO_CHANCE = {
  uint32: () => 0,
  unit: () => 0.5,
  below: () => 0,
  shuffle: <T>(items: T[]) => items,
  sample: <T>(items: readonly T[], count: number) => items.slice(0, count),
};

export function newClaimant(
  hosts: Catalogue,
  local: Place,
  members: readonly number[],
  carrier: FakeCarrier,
): OpenedClaimant {
  const claimant = new hosts.tree.Claimant(
    local.claimant?.$context.options ?? optionsOf(hosts, local, members),
    NO_CHANCE as never,
  );
  claimant.attach(carrier);
  return claimant;
}

function optionsOf(hosts: Catalogue, local: Place, members: readonly number[]): ClaimOptions {
  const { host } = local;
  const hostId = hosts.ids[host];
  assert(hostId !== undefined, "a host of that number");
  const pinned = hosts.settings.pins?.[host] ?? null;
  const knewOthers = local.members.some((code, other) => other !== host && code !== UNKNOWN);
  return {
    cluster: CLUSTER,
    pool: hosts.pool,
    pin: pinned === null ? null : hosts.subnets[pinned] ?? null,
    bootstrap: false,
    seedsGiven: !(hosts.settings.founders ?? [0]).includes(host) || knewOthers,
    vtep: {
      address: `192.168.0.${host + 1}`,
      port: 8472,
      mac: `02:00:00:00:00:0${host + 1}`,
    },
    hostId,
    instance: instanceOf(host, startsOf(members[host] ?? UNKNOWN)),
    restored: hosts.memory(local.disk),
  };
}
