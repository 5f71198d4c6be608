/** What a claimant has done since its process started, for operators: status and metrics. Nothing is decided by it. */

export interface ClaimCounters {
  /** Contests with another holder of this host's subnet, by how they ended here. */
  conflictsWon: number;
  conflictsLost: number;
  /** Subnets that this host had to change while containers may have used them. */
  renumberings: number;
  /** Records of this host that became durable, and so were announced. */
  writes: number;
  /** Writes that the disk refused. */
  diskRefusals: number;
  /** Subnets that this host began to ask for, and those that went to somebody else meanwhile. */
  requests: number;
  choicesLost: number;
  /** Answers that this host got to its questions. */
  readonly answersReceived: Record<VerdictName, number>;
  /** Answers that this host gave to the questions of others. */
  readonly answersSent: Record<VerdictName, number>;
  /** Questions of higher epoch that were answered by holding at that epoch. */
  refutes: number;
  /** Epochs raised above the fence after a contest. */
  raises: number;
  /** Subnets of hosts that were absent too long, taken by this host. */
  reclaims: number;
  /** Hosts that an operator had this host forget. */
  forgets: number;
  /** Claims under this host's id, or twice under one number of another host's, that a copy of it wrote. */
  clones: number;
  /** Records, fences and clocks refused because they leap too far. */
  sanityRefusals: number;
}

/** As the answers of claims are called on the wire. */
export type VerdictName = "yes" | "busy" | "fenced" | "resting";

export function newClaimCounters(): ClaimCounters {
  return {
    conflictsWon: 0,
    conflictsLost: 0,
    renumberings: 0,
    writes: 0,
    diskRefusals: 0,
    requests: 0,
    choicesLost: 0,
    answersReceived: { yes: 0, busy: 0, fenced: 0, resting: 0 },
    answersSent: { yes: 0, busy: 0, fenced: 0, resting: 0 },
    refutes: 0,
    raises: 0,
    reclaims: 0,
    forgets: 0,
    clones: 0,
    sanityRefusals: 0,
  };
}
