/**
 * Which claims stand. What is released has given up; what lies below the fence of its subnet was overtaken: by a later
 * holder, by a contest that is over, or by an operator who had its host forgotten. Neither owns or occupies anything. A
 * live host that finds itself there writes its claim anew, so nothing is ever taken from one by a fence alone.
 */
import { type ClaimRecord, occupies } from "./record.ts";
import { EPOCH_MAX } from "./record_codec.ts";

/**
 * Whether a claim counts where the fence of its subnet is at that epoch. A question must be above it, a hold not below. At
 * the last epoch there is no above: questions go on there, or a forged number would close a subnet for ever.
 */
export function stands(record: ClaimRecord, fence: number): boolean {
  if (!occupies(record)) return false;
  return record.state === "tentative"
    ? record.epoch > Math.min(fence, EPOCH_MAX - 1)
    : record.epoch >= fence;
}

/** The fence under which a claim counts for nothing: what `forget` raises. At the last epoch nothing is above a hold. */
export function fenceToForget(record: ClaimRecord): number {
  if (!occupies(record)) return 0;
  return record.state === "tentative" ? record.epoch : Math.min(record.epoch + 1, EPOCH_MAX);
}
