/** The underlay that the agent has or would choose; what is wrong with the choice is the underlay check's to say. */
import type { Underlay } from "../base/kernel_objects.ts";
import { UserError } from "../base/errors.ts";
import { withoutContainers } from "../host/pool_overlap.ts";
import { chooseUnderlay } from "../host/underlay.ts";
import type { DoctorHost } from "./doctor_host.ts";

/** Null when there is none. */
export function underlayOf(host: DoctorHost): Underlay | null {
  try {
    return chosenUnderlay(host);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** As the agent does, which takes no bridge of containers for a way to other hosts. Throws UserError. */
export function chosenUnderlay(host: DoctorHost): Underlay {
  return chooseUnderlay({
    hostNetwork: () => withoutContainers(host.network(), host.setup.pool, null),
    routeTo: (address) => host.routeTo(address),
  }, host.setup);
}
