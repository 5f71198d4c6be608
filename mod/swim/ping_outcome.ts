/** What an operator asks of a member, and how it answers: each way told apart. */
import type { MemberId } from "./member.ts";

/** How the member answered. */
export interface PingOutcome {
  /** Milliseconds from a datagram to its answer; null when none of several came back. */
  readonly datagramMs: number | null;
  /** Milliseconds from dialling to the answer; null when there was none. */
  readonly streamMs: number | null;
  /** Why there was none over a stream. */
  readonly streamReason: string | null;
}

/** The command, as `SwimCommand` has it. */
export interface PingCommand {
  readonly request: number;
  readonly id: MemberId;
}
