/** What swim tells the outside: members, warnings for the operator, and the end of a leave. */
import type { MemberEvent } from "./member.ts";

/** Something that works, but not as it should, with what to do about it. */
export interface WarningEvent {
  readonly kind: "warning";
  /** Stable, for scripts: `udp-blocked`, `name-conflict`, `incarnation-jump`, `members-not-saved`. */
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
}

export type SwimEvent =
  | MemberEvent
  | WarningEvent
  /** This host's goodbye is sent: nothing more will come of membership. */
  | { readonly kind: "left" };
