/** A host in a namespace of its own whose overlay is kept by hand: desired state, dump, diff, apply on the real kernel. */
import { strict as assert } from "node:assert";
import { addressAdd } from "../../../ffi/route/address.ts";
import { linkGet, linkSet } from "../../../ffi/route/link.ts";
import { vethAdd } from "../../../ffi/route/veth.ts";
import type { KernelState, OperationFailure } from "../../../mod/base/kernel_objects.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { type HostKernel, openKernel } from "../../../mod/host/kernel.ts";
import { type Desired, desiredState, type OverlayConfig } from "../../../mod/overlay/desired.ts";
import { diffState } from "../../../mod/overlay/diff.ts";
import type { Plan } from "../../../mod/overlay/plan.ts";
import { CONFIG, DEVICE, OWN } from "../../support/overlay.ts";
import { Host } from "../ffi/namespace.ts";

export class OverlayHost {
  readonly host = new Host();
  readonly kernel: HostKernel;
  readonly config: OverlayConfig;
  readonly underlayIndex: number;

  /** The underlay is eth0 with 192.168.100.1/24. */
  constructor() {
    const { transport } = this.host;
    const eth0 = vethAdd(transport, { name: "eth0", up: true, peer: { name: "wire" } });
    assert(eth0 !== null && eth0.link !== null);
    linkSet(transport, eth0.link, { up: true });
    const { index } = eth0;
    addressAdd(transport, { index, address: "192.168.100.1", prefixLength: 24 });
    this.underlayIndex = index;
    this.config = { ...CONFIG, underlay: { ...CONFIG.underlay, index } };
    this.kernel = this.host.run(() => openKernel());
  }

  desire(owners: readonly ClaimRecord[], changes: Partial<OverlayConfig> = {}): Desired {
    return desiredState({ ...this.config, ...changes }, OWN, owners);
  }

  plan(desired: Desired): Plan {
    return diffState(desired, this.dump());
  }

  /** One reconcile; returns what the kernel refused. */
  apply(desired: Desired): OperationFailure[] {
    return this.kernel.apply(this.plan(desired).operations);
  }

  dump(): KernelState {
    return this.kernel.dump(DEVICE);
  }

  /** Index of the overlay device. */
  get index(): number {
    const link = linkGet(this.host.transport, DEVICE);
    assert(link !== null, `${DEVICE} is there`);
    return link.index;
  }

  async close(): Promise<void> {
    await this.kernel.close();
    this.host[Symbol.dispose]();
  }
}
