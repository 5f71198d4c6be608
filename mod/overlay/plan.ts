/** A plan: what to change in the kernel, and what stands in the way. */
import type { Operation } from "../base/kernel_objects.ts";
import type { Problem } from "../base/problem.ts";
import type { FlannelPeer } from "./flannel.ts";

export interface Plan {
  /** In the order to apply them. Empty when nothing is to be done, or nothing may be done. */
  readonly operations: readonly Operation[];
  /** What stands in the way and must be settled by a person. */
  readonly problems: readonly Problem[];
  /** With `--adopt-flannel`: hosts that have not moved yet; what leads to them stays. */
  readonly flannel?: readonly FlannelPeer[];
}
