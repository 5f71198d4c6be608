/** What is on its way to a host or to be done at one, and what it is then given. */

/** Something on its way, or to be done, at one host. */
export interface Item {
  readonly kind:
    | "start"
    | "letter"
    | "gossip"
    /** News of membership: `payload` is the member's code, `about` whose. */
    | "member"
    /** A write that becomes durable: `payload` is the document, `about` its number. */
    | "disk"
    | "ask"
    | "answer"
    | "leave"
    | "wake";
  readonly from: number;
  readonly to: number;
  readonly payload: number;
  readonly about: number;
}

export type Input =
  | { readonly kind: "start" }
  | { readonly kind: "letter" | "gossip"; readonly from: number; readonly payload: number }
  | { readonly kind: "member"; readonly about: number; readonly code: number }
  | { readonly kind: "persisted"; readonly id: number; readonly payload: number }
  | { readonly kind: "refused"; readonly id: number }
  /** Time passes; `sleep` is without being woken. */
  | { readonly kind: "pass" | "sleep"; readonly ms: number }
  | { readonly kind: "wake" }
  | {
    readonly kind: "compared";
    readonly from: number;
    readonly payload: number;
    readonly code: number;
  }
  | { readonly kind: "update"; readonly from: number; readonly payload: number }
  | { readonly kind: "updated"; readonly payload: number }
  | { readonly kind: "merged"; readonly from: number; readonly payload: number }
  | { readonly kind: "release" }
  /** An operator has that host forgotten here. */
  | { readonly kind: "forget"; readonly about: number }
  | { readonly kind: "crash" | "left" }
  | { readonly kind: "swap"; readonly payload: number };
