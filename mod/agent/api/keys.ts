/** What is asked and answered about the gossip keys of all hosts. */
import type { STATUS_SCHEMA } from "./names.ts";

/** A gossip key, by what may be shown of it. */
export interface KeyDocument {
  fingerprint: string;
  /** Hosts that have it, and those of them that encrypt with it. */
  hosts: number;
  primaryHosts: number;
  /** The same of the host that answers. */
  here: boolean;
  primaryHere: boolean;
}

/** A host that did not say or do what it was asked for, and why. */
export interface KeyHostDocument {
  id: string;
  name: string;
  address: string;
  reason: string;
}

export interface KeysDocument {
  schema: typeof STATUS_SCHEMA;
  /** Hosts that were asked, this one included. */
  hosts: number;
  keys: KeyDocument[];
  /** Those of them that did not answer. */
  unanswered: KeyHostDocument[];
}

/** What is to be done with a key on every host. The key itself comes only with `install`. */
export type KeysRequest =
  | { operation: "install"; key: string }
  | { operation: "use" | "remove"; fingerprint: string; force?: boolean };

export interface KeysAnswer {
  schema: typeof STATUS_SCHEMA;
  operation: "install" | "use" | "remove";
  fingerprint: string;
  /** Hosts that it was for, this one included, and those that have done it. */
  hosts: number;
  done: number;
  /** Why nothing was changed anywhere, and what to do; null when it was tried. */
  refused: { text: string; remedy: string } | null;
  /** Hosts that have not done it, or that stand in the way of it. */
  failed: KeyHostDocument[];
}
