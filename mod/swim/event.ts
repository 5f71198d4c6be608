/** What swim tells the outside: members, warnings for the operator, and the end of a leave. */
import type { PingOutcome } from "./ping_outcome.ts";
import type { KeyOutcome } from "./key_outcome.ts";
import type { Endpoint } from "../base/core.ts";
import type { MemberEvent, MemberId } from "./member.ts";

/** Something that works, but not as it should, with what to do about it. */
export interface WarningEvent {
  readonly kind: "warning";
  /** Stable, for scripts: `udp-blocked`, `name-conflict`, `incarnation-jump`, `members-not-saved`,
   * `protocol-mismatch`. */
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
}

export type SwimEvent =
  | MemberEvent
  | WarningEvent
  /** This host's keyring was changed, by its own operator or by another host. */
  | {
    readonly kind: "keys-changed";
    /** What was done, without the key: `installed`, `used` or `removed`, and the key it was done with. */
    readonly change: "installed" | "used" | "removed";
    readonly fingerprint: string;
  }
  /** The end of the `keys` command of that request number. */
  | { readonly kind: "keys-done"; readonly request: number; readonly outcome: KeyOutcome }
  /** The end of the `ping` command of that request number; null when that member could not be asked. */
  | { readonly kind: "pinged"; readonly request: number; readonly outcome: PingOutcome | null }
  /**
   * Another host is alive under this one's identity, and this one is to take a new one: nothing more should be asked of this
   * core. `instance` and `endpoint` are the other's.
   */
  | {
    readonly kind: "identity-lost";
    readonly id: MemberId;
    readonly endpoint: Endpoint;
    readonly instance: string;
  }
  /** This host's goodbye is sent: nothing more will come of membership. */
  | { readonly kind: "left" };
