/** What is asked and answered about the pool that subnets are chosen from. */
import type { STATUS_SCHEMA } from "./names.ts";

/** Who holds what. */
export interface PoolHolderDocument {
  host: string;
  hostId: string;
  subnet: string;
}

export interface PoolDocument {
  schema: typeof STATUS_SCHEMA;
  /** 1 as configured; each change of an operator adds one. */
  version: number;
  subnetLen: number;
  /** Subnets held now, and how many the pool has. */
  used: number;
  total: number;
  /** That of --network first, then those that were added. */
  networks: { network: string; added: boolean; used: number; total: number }[];
  /** Nobody claims any of these anew; holders from before keep theirs. */
  reserved: { network: string; holders: PoolHolderDocument[] }[];
  /** `holds` is what the host holds now, null when nothing. */
  pins: { host: string; hostId: string; subnet: string; holds: string | null }[];
  /** Held though in none of the networks. */
  outside: PoolHolderDocument[];
}

export type PoolRequest =
  | { operation: "grow" | "shrink" | "reserve" | "unreserve"; network: string }
  | { operation: "pin"; host: string; subnet: string; force?: boolean }
  | { operation: "unpin"; host: string };

/** The pool after the change; `changed` is false when it was so before. */
export interface PoolAnswer extends PoolDocument {
  changed: boolean;
}
