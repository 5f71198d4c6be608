/** One simulated host: its core while it runs, and what survives a crash. */
import type { Core, Endpoint, PersistedDocument } from "../base/core.ts";
import type { Random } from "../base/random.ts";

/** What a core is made from when its host starts. */
export interface Boot {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** 0 for the first start, one more for each restart. */
  readonly bootNumber: number;
  readonly nowMs: number;
  /** What the host's disk holds. */
  readonly documents: ReadonlyMap<PersistedDocument, Uint8Array>;
  /** Of this start alone: equal seeds give equal sequences. */
  readonly random: Random;
}

export class SimHost<Command, Event, Snapshot> {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Null while the host is down. */
  core: Core<Command, Event, Snapshot> | null = null;
  /** Starts so far. */
  boots = 0;
  /** The disk: survives kills. */
  readonly documents = new Map<PersistedDocument, Uint8Array>();
  /** When set, every write to the disk fails with this text. */
  diskError: string | null = null;
  /** Everything the core announced, in all its lives. */
  readonly events: { readonly atMs: number; readonly event: Event }[] = [];
  /** The earliest wake-up already in the queue. */
  wakeQueuedAtMs = Infinity;

  constructor(name: string, endpoint: Endpoint) {
    this.name = name;
    this.endpoint = endpoint;
  }

  get isRunning(): boolean {
    return this.core !== null;
  }

  /** What the running core says of itself. Throws when the host is down. */
  snapshot(): Snapshot {
    if (this.core === null) throw new Error(`${this.name} is down and has no snapshot`);
    return this.core.snapshot();
  }
}
