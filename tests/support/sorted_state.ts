/** Kernel states made comparable: the kernel gives entries in the order of its hash tables. */
import type { KernelState } from "../../mod/base/kernel_objects.ts";

/** The state with each list in an order of its own. */
export function sortedState(state: KernelState): KernelState {
  const sorted = <T>(items: readonly T[]): T[] =>
    items.map((item) => [JSON.stringify(item), item] as const)
      .sort(([one], [other]) => one < other ? -1 : 1)
      .map(([, item]) => item);
  return {
    link: state.link,
    addresses: sorted(state.addresses),
    neighbours: sorted(state.neighbours),
    forwarding: sorted(state.forwarding),
    routes: sorted(state.routes),
  };
}
