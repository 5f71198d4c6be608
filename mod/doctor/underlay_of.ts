/** The underlay that the agent has or would choose; what is wrong with the choice is the underlay check's to say. */
import type { Underlay } from "../base/kernel_objects.ts";
import { UserError } from "../base/errors.ts";
import { chooseUnderlay } from "../host/underlay.ts";
import type { DoctorHost } from "./doctor_host.ts";

/** Null when there is none. */
export function underlayOf(host: DoctorHost): Underlay | null {
  try {
    return chooseUnderlay({
      hostNetwork: () => host.network(),
      routeTo: (address) => host.routeTo(address),
    }, host.setup);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
