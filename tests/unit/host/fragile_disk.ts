/**
 * A disk that loses power, or refuses, at any step. What was not synced may be lost: the bytes of a file as a whole or in part,
 * and any of the names given or taken since the folder was last synced, each by itself (POSIX promises no order).
 */
import type { Disk, DiskFile } from "../../../mod/host/disk.ts";

/** The power is gone; nobody runs any more who could catch it. */
export class PowerLoss extends Error {}

/** What a disk may say, and no step was done. */
export class DiskRefusal extends Error {}

interface Inode {
  bytes: Uint8Array;
  /** What fsync(2) has put on the disk. */
  synced: Uint8Array | null;
}

/** One change of names, done as a whole or not at all. */
type NameChange = readonly { readonly path: string; readonly inode: Inode | null }[];

export class FragileDisk implements Disk {
  /** The step before which the power goes, or the disk refuses, counted from 0. */
  failsAt = Infinity;
  /** Whether it is the power. */
  isPower = true;
  steps = 0;
  #names = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #pending: NameChange[] = [];

  create(path: string): DiskFile {
    this.#step();
    if (this.#names.has(path)) throw new Deno.errors.AlreadyExists(path);
    const inode: Inode = { bytes: new Uint8Array(), synced: null };
    this.#change([{ path, inode }]);
    return {
      write: (bytes) => {
        this.#step();
        const taken = bytes.subarray(0, Math.max(1, bytes.length >> 1));
        inode.bytes = new Uint8Array([...inode.bytes, ...taken]);
        return taken.length;
      },
      sync: () => {
        this.#step();
        inode.synced = inode.bytes;
      },
      close: () => {},
    };
  }

  give(): void {
    this.#step();
  }

  link(path: string, another: string): void {
    this.#step();
    if (this.#names.has(another)) throw new Deno.errors.AlreadyExists(another);
    this.#change([{ path: another, inode: this.#find(path) }]);
  }

  rename(from: string, to: string): void {
    this.#step();
    const inode = this.#find(from);
    if (this.#names.get(to) === inode) return; // rename(2): two names of one file both stay
    this.#change([{ path: to, inode }, { path: from, inode: null }]);
  }

  remove(path: string): void {
    this.#step();
    this.#find(path);
    this.#change([{ path, inode: null }]);
  }

  syncFolder(): void {
    this.#step();
    this.#durable = new Map(this.#names);
    this.#pending = [];
  }

  /** All files as a running process sees them. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([path, { bytes }]) => [path, bytes]));
  }

  /** Every state in which a machine may find the disk after the power went now. */
  *afterPowerLoss(): Generator<Map<string, Uint8Array>> {
    for (let chosen = 0; chosen < 2 ** this.#pending.length; chosen++) {
      const names = new Map(this.#durable);
      for (const [index, change] of this.#pending.entries()) {
        if ((chosen >> index & 1) === 0) continue;
        for (const { path, inode } of change) {
          if (inode === null) names.delete(path);
          else names.set(path, inode);
        }
      }
      for (const lost of LOSSES) {
        yield new Map([...names].map(([path, inode]) => [path, inode.synced ?? lost(inode.bytes)]));
      }
    }
  }

  #find(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new Deno.errors.NotFound(path);
    return inode;
  }

  #change(change: NameChange): void {
    this.#pending.push(change);
    for (const { path, inode } of change) {
      if (inode === null) this.#names.delete(path);
      else this.#names.set(path, inode);
    }
  }

  #step(): void {
    const step = this.steps++;
    if (this.isPower ? step >= this.failsAt : step === this.failsAt) {
      throw this.isPower
        ? new PowerLoss()
        : new DiskRefusal("No space left on device (os error 28)");
    }
  }
}

/** What becomes of bytes that were not synced. */
const LOSSES: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
  () => new Uint8Array(),
  (bytes) => bytes.subarray(0, bytes.length >> 1),
  (bytes) => new Uint8Array(bytes.length),
  (bytes) => bytes,
];
