/** A kernel in which there is nothing of the overlay. */
import type { KernelState } from "../../../mod/base/kernel_objects.ts";

export const EMPTY_STATE: KernelState = {
  link: null,
  addresses: [],
  neighbours: [],
  forwarding: [],
  routes: [],
};
