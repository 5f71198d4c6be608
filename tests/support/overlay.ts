/** A small cluster for the overlay's tests: this host and peers h2, h3, … with everything derived from their number. */
import type { KernelState } from "../../mod/base/kernel_objects.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import { type Desired, desiredState, type OverlayConfig } from "../../mod/overlay/desired.ts";
import { diffState } from "../../mod/overlay/diff.ts";
import { EMPTY_STATE, ModelKernel } from "./model_kernel.ts";

export const DEVICE = "flannel.1";

export const CONFIG: OverlayConfig = {
  vni: 1,
  port: 8472,
  mac: "02:00:00:00:00:01",
  mtu: 1450,
  networks: ["10.244.0.0/16"],
  backend: "vxlan",
  linkRoutes: [{ destination: "192.168.100.0/24", isOnLink: true }],
  underlay: { device: "eth0", index: 2, address: "192.168.100.1", mtu: 1500 },
};

/** Names the one underlay device of {@linkcode CONFIG}. */
export function deviceNames(index: number): string {
  return index === 2 ? "eth0" : `if${index}`;
}

function hexOctet(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** Host `number` (1 to 255) holds 10.244.number.0/24 and sits at 192.168.100.number. */
export function claim(number: number, changes: Partial<ClaimRecord> = {}): ClaimRecord {
  return {
    hostId: hexOctet(number).repeat(16),
    instance: hexOctet(number).repeat(8),
    generation: 1,
    sequence: 1,
    poolVersion: 1,
    poolDigest: "0000000000000000",
    subnet: `10.244.${number}.0/24`,
    state: "held",
    epoch: 1,
    strength: 1,
    stamp: number,
    vtep: {
      address: `192.168.100.${number}`,
      port: 8472,
      mac: `02:00:00:00:00:${hexOctet(number)}`,
    },
    absenceTtlHours: 24,
    ...changes,
  };
}

export const OWN = claim(1);

export function claims(...numbers: readonly number[]): ClaimRecord[] {
  return numbers.map((number) => claim(number));
}

/** What host 1 wants with these owners. */
export function desire(
  owners: readonly ClaimRecord[],
  changes: Partial<OverlayConfig> = {},
): Desired {
  return desiredState({ ...CONFIG, ...changes }, OWN, owners);
}

/** The kernel after everything that is desired was applied to nothing. */
export function programmed(desired: Desired): KernelState {
  const kernel = new ModelKernel(desired.device, EMPTY_STATE);
  kernel.apply(diffState(desired, EMPTY_STATE).operations);
  return kernel.state;
}
