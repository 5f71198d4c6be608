/**
 * Refusals that mean no more than that the kernel changed between our look and our change, as it does all the time where
 * others work on it too: the answer is to look again at once, and only what is refused then is a fault.
 */
import type { Operation, OperationFailure } from "../base/kernel_objects.ts";

/** Something is there already, is not there any more, is down, or is being changed by somebody else. */
const OUTDATED_CODES: ReadonlySet<string> = new Set([
  "EEXIST",
  "ENOENT",
  "ESRCH",
  "ENODEV",
  "ENXIO",
  "EADDRNOTAVAIL",
  "ENETDOWN",
  "ENETUNREACH",
  "EBUSY",
  "EAGAIN",
  "EINTR",
]);

export function isOutdated({ code }: OperationFailure): boolean {
  return OUTDATED_CODES.has(code);
}

/** The kernel is too old to move a device, or the device is of another make: it is made anew instead. */
export function isMoveUnknown({ operation, code }: OperationFailure): boolean {
  return operation.kind === "link-move" && (code === "EOPNOTSUPP" || code === "EINVAL");
}

/** Whether a plan, but for what was refused, made the device. */
export function hasMadeDevice(
  plan: readonly Operation[],
  failures: readonly OperationFailure[],
): boolean {
  const isMaking = ({ kind }: Operation) => kind === "link-add";
  return plan.some(isMaking) && !failures.some(({ operation }) => isMaking(operation));
}
