/** One simulated host: its core while it runs, its clock and sockets, and what survives a crash. */
import type { Core, Endpoint, PersistedDocument } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import { HostClock } from "./host_clock.ts";
import { newTraffic, type Traffic } from "./traffic.ts";

/** What a core is made from when its host starts. */
export interface Boot {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** 0 for the first start, one more for each restart. */
  readonly bootNumber: number;
  /** On the host's own clock. */
  readonly nowMs: number;
  /** What the host's disk holds. */
  readonly documents: ReadonlyMap<PersistedDocument, Uint8Array>;
  /** Of this start alone: equal seeds give equal sequences. */
  readonly random: Random;
}

/**
 * What a host does at present: `frozen` is blocked around sending and receiving while its timers run (the anomaly of the
 * Lifeguard paper), `paused` stands still altogether, as after SIGSTOP.
 */
export type Gait = "running" | "frozen" | "paused";

/** One change of a disk. */
export interface DiskWrite {
  /** In the cluster's time. */
  readonly atMs: number;
  readonly document: PersistedDocument;
  /** Null when the document was removed. */
  readonly bytes: Uint8Array | null;
}

/** Something that waits until the host moves again. */
export interface Waiting {
  /** What it takes of the socket's buffer; 0 for streams, which wait in the kernel one by one. */
  readonly bufferBytes: number;
  readonly act: () => void;
}

export class SimHost<Command, Event, Snapshot> {
  readonly name: string;
  /** Its address at present; see Cluster.move. */
  endpoint: Endpoint;
  /** Its first address: where it is plugged in, and what faults of the network mean when they mean this host. */
  readonly home: Endpoint;
  /** Place among the hosts of the cluster, from 0. */
  readonly index: number;
  /** Null while the host is down. */
  core: Core<Command, Event, Snapshot> | null = null;
  /** Starts so far. */
  boots = 0;
  /** When the last one was, in the cluster's time. */
  startedAtMs = 0;
  readonly clock = new HostClock();
  /** Since the host was added, over all its lives. */
  readonly traffic: Traffic = newTraffic();
  gait: Gait = "running";
  /** Arrived while the host was frozen or paused, in order. */
  readonly inbox: Waiting[] = [];
  /** To be sent when the host thaws, in order. */
  readonly outbox: Waiting[] = [];
  /** What waits of the datagram socket's buffer. */
  bufferedBytes = 0;
  /** The disk: survives kills. */
  readonly documents = new Map<PersistedDocument, Uint8Array>();
  /** Every change of the disk so far, where the cluster keeps them. */
  readonly writes: DiskWrite[] = [];
  /** When set, every write to the disk fails with this text. */
  diskError: string | null = null;
  /** What each write takes in addition, on a slow disk. */
  diskDelayMs = 0;
  /** When the last write is done, in the cluster's time: a host writes one thing after the other. */
  writtenAtMs = 0;
  /** Everything the core announced, in all its lives; times are the cluster's. */
  readonly events: { readonly atMs: number; readonly event: Event }[] = [];
  /** The earliest wake-up already in the queue, in the cluster's time. */
  wakeQueuedAtMs = Infinity;

  constructor(name: string, endpoint: Endpoint, index: number) {
    this.name = name;
    this.endpoint = endpoint;
    this.home = endpoint;
    this.index = index;
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
