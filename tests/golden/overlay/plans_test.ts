/** Plans as `ip` and `bridge` commands, for the changes that a cluster goes through. */
import type { KernelState } from "../../../mod/base/kernel_objects.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import { type Desired, desiredState } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import { planText, stateText } from "../../../mod/overlay/text.ts";
import { matchGolden } from "../../support/golden.ts";
import { EMPTY_STATE, ModelKernel } from "../../support/model_kernel.ts";
import {
  claim,
  claims,
  CONFIG,
  desire,
  DEVICE,
  deviceNames,
  OWN,
  programmed,
} from "../../support/overlay.ts";

const two = desire(claims(1, 2, 3));

/** A plan under the state that it starts from. */
function story(desired: Desired, actual: KernelState): string {
  return `# before\n${stateText(actual, deviceNames)}\n# plan\n` +
    planText(diffState(desired, actual).operations, deviceNames);
}

function golden(name: string, text: string): void {
  matchGolden(new URL(`./${name}.txt`, import.meta.url), text);
}

Deno.test("from nothing, the device comes first and each peer's route last", () => {
  golden("from_nothing", story(two, EMPTY_STATE));
});

Deno.test("a kernel as desired gives an empty plan", () => {
  golden("steady", story(two, programmed(two)));
});

Deno.test("a peer that left loses route, forwarding entry and neighbour", () => {
  golden("peer_removed", story(desire(claims(1, 2)), programmed(two)));
});

Deno.test("a peer that moved to another address has its forwarding entry replaced in place", () => {
  const moved = claim(3, { vtep: { ...claim(3).vtep, address: "192.168.100.33" } });
  golden("peer_moved", story(desire([OWN, claim(2), moved]), programmed(two)));
});

Deno.test("a peer with a new MAC loses the entry of the old one", () => {
  const renewed = claim(3, { vtep: { ...claim(3).vtep, mac: "02:00:00:00:00:33" } });
  golden("peer_mac", story(desire([OWN, claim(2), renewed]), programmed(two)));
});

Deno.test("a new MTU changes the device in place", () => {
  golden("mtu_changed", story(desire(claims(1, 2, 3), { mtu: 1400 }), programmed(two)));
});

Deno.test("another underlay moves the device in place, and no peer notices", () => {
  const underlay = { device: "eth1", index: 4, address: "192.168.200.1", mtu: 1500 };
  golden("underlay_changed", story(desire(claims(1, 2, 3), { underlay }), programmed(two)));
});

Deno.test("a device set down is raised and gets back what the kernel flushed", () => {
  const down = new ModelKernel(DEVICE, programmed(two));
  down.apply([{ kind: "link-set", name: DEVICE, changes: { up: false } }]);
  golden("device_down", story(two, down.state));
});

Deno.test("a deleted device comes back with all peers", () => {
  const deleted = new ModelKernel(DEVICE, programmed(two));
  deleted.apply([{ kind: "link-delete", name: DEVICE }]);
  golden("device_deleted", story(two, deleted.state));
});

Deno.test("another subnet of our own changes the address and nothing else", () => {
  const renumbered = desiredState(CONFIG, claim(1, { subnet: "10.244.99.0/24" }), claims(2, 3));
  golden("renumbered", story(renumbered, programmed(two)));
});

Deno.test("cleanup removes everything of ours, the device last", () => {
  const plan = planCleanup(DEVICE, CONFIG.networks, programmed(two));
  golden("cleanup", planText(plan.operations, deviceNames));
});
