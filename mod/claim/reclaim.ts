/**
 * Taking the subnet of a host that was absent too long, when nothing else is free: by the leave of a majority of the
 * last-known hosts, each by its own count, after twice the usual wait, at an epoch above the old claim. Anything that the
 * old owner writes meanwhile, and its mere presence, ends it.
 */
import type { ClaimContext } from "./context.ts";
import { type ClaimRecord, isSameWrite } from "./record.ts";

/** A reclaim waits so many times as long for objections as another claim. */
export const RECLAIM_WAITS = 2;
/** Between attempts that came to nothing, doubled each time up to the second: each costs two writes. */
const AGAIN_MS = 5 * 60_000;
const AGAIN_MS_MAX = 6 * 3_600_000;

export class Reclaim {
  readonly #context: ClaimContext;
  readonly #claims: readonly ClaimRecord[];

  /** @param claims what would end. */
  constructor(context: ClaimContext, claims: readonly ClaimRecord[]) {
    this.#context = context;
    this.#claims = claims;
  }

  /** Whether that claim is one of those that would end, as its host wrote it before it went. */
  isGiven(rival: ClaimRecord): boolean {
    return this.#claims.some((claim) => isSameWrite(claim, rival));
  }

  /** Whether all owners are still away. */
  isOpen(): boolean {
    return !this.#claims.some(({ hostId }) => this.#context.roster.isPresent(hostId));
  }

  /** The others do not agree: nothing is asked for a while, longer each time, and not in step with other hosts. */
  failed(nowMs: number): void {
    const { random } = this.#context;
    const pauseMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#context.reclaimFailures++);
    this.#context.reclaimNotBeforeMs = nowMs + pauseMs * (1 + random.unit());
  }
}
