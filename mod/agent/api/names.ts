/** The words that documents use for what members, seeds and claims are. */

/** Of every document; fields may be added within a schema, never renamed or retyped. */
export const STATUS_SCHEMA = 1;

export type MemberStatusName = "alive" | "suspect" | "dead" | "left";

export type SeedStateName = "trying" | "unresolved" | "unreachable" | "joined";

/** `lonely` has heard nobody yet; `returning` asks whether what it held before a restart is still its own. */
export type ClaimStageName =
  | "starting"
  | "listening"
  | "lonely"
  | "returning"
  | "tentative"
  | "held"
  | "yielding"
  | "waiting"
  | "released";

/**
 * `owner` holds and wins; `loses` holds, and another one ranks higher; `asks` and `yields` say what their host does; `released`
 * is given back; `void` counts for nothing, being below the fence: forgotten, or overtaken.
 */
export type ClaimStanding = "owner" | "loses" | "asks" | "yields" | "released" | "void";

export type ClaimStateName = "none" | "tentative" | "held" | "yielding";
