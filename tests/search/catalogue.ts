/**
 * Everything that occurs in a search under a number of its own, so that states are tuples of small numbers: payloads, items on
 * their way, inputs.
 */
import assert from "node:assert/strict";
import type { Pool } from "../../mod/address/pool.ts";
import type { ClaimMessage } from "../../mod/claim/messages.ts";
import type { RestoredClaim } from "../../mod/claim/options.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import { hostIds, nameOf } from "./identity.ts";
import type { Input, Item } from "./input.ts";
import type { OpenedTree } from "./opened_tree.ts";

/** What an answer to a sync carries besides the claims: the members that its sender knows. */
export interface Blob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly members: readonly number[];
}

export interface HostSettings {
  readonly hosts: number;
  readonly subnets: number;
  /** Pinned subnet of each host, by index; absent for none. */
  readonly pins?: readonly (number | null)[];
  /** Hosts without seeds; the first one if absent. */
  readonly founders?: readonly number[];
}

export class Catalogue {
  readonly tree: OpenedTree;
  readonly pool: Pool;
  readonly subnets: readonly string[];
  readonly ids: readonly string[];
  readonly settings: HostSettings;
  readonly items: Item[] = [];
  readonly inputs: Input[] = [];
  readonly blobs: Blob[] = [];
  readonly #itemIds = new Map<string, number>();
  readonly #inputIds = new Map<string, number>();
  readonly #blobIds = new Map<string, number>();
  readonly #memories = new Map<number, RestoredClaim>();
  readonly #told = new Map<number, readonly ClaimRecord[]>();
  readonly #recordBlobs = new WeakMap<Uint8Array, number>();

  constructor(tree: OpenedTree, settings: HostSettings) {
    this.tree = tree;
    this.settings = settings;
    const size = 8;
    this.pool = tree.makePool({
      network: "10.9.0.0/24",
      subnetLength: 29,
      subnetMin: "10.9.0.8",
      subnetMax: `10.9.0.${size * settings.subnets}`,
    });
    this.subnets = Array.from(
      { length: settings.subnets },
      (_, at) => `10.9.0.${size * (at + 1)}/29`,
    );
    this.ids = hostIds(settings.hosts);
  }

  /** How people read a host. */
  label(host: number): string {
    return nameOf(host);
  }

  item(id: number): Item {
    const item = this.items[id];
    assert(item !== undefined, "an item of that number");
    return item;
  }

  itemId(item: Item): number {
    const key = `${item.kind} ${item.from} ${item.to} ${item.payload} ${item.about}`;
    return numbered(this.#itemIds, this.items, key, item);
  }

  inputId(input: Input): number {
    return numbered(this.#inputIds, this.inputs, JSON.stringify(input), input);
  }

  blobId(bytes: Uint8Array, members: readonly number[] = []): number {
    const copy = new Uint8Array(bytes);
    return numbered(this.#blobIds, this.blobs, `${copy.toHex()} ${members.join()}`, {
      bytes: copy,
      members,
    });
  }

  /** The number of a record's bytes; they are shared by all who know the record. */
  recordId(bytes: Uint8Array): number {
    let id = this.#recordBlobs.get(bytes);
    if (id === undefined) this.#recordBlobs.set(bytes, id = this.blobId(bytes));
    return id;
  }

  blob(id: number): Blob {
    const blob = this.blobs[id];
    assert(blob !== undefined, "a payload of that number");
    return blob;
  }

  /** The claim document on a host's disk. */
  memory(payload: number): RestoredClaim | null {
    if (payload < 0) return null;
    let memory = this.#memories.get(payload);
    if (memory === undefined) {
      memory = this.tree.decodeClaimMemory(this.blob(payload).bytes);
      this.#memories.set(payload, memory);
    }
    return memory;
  }

  /** The records that a letter or an item of gossip tells. */
  told(payload: number): readonly ClaimRecord[] {
    let records = this.#told.get(payload);
    if (records === undefined) {
      records = recordsIn(this.tree.decodeClaimMessage(this.blob(payload).bytes));
      this.#told.set(payload, records);
    }
    return records;
  }
}

function recordsIn(message: ClaimMessage): ClaimRecord[] {
  switch (message.kind) {
    case "request":
      return [message.claim.record];
    case "push":
      return message.claims.map(({ record }) => record);
    case "answer":
      return [
        ...message.verdict.kind === "busy" ? [message.verdict.claim] : [],
        ...message.tentative,
      ].map(({ record }) => record);
    default: // a fence, or a pool record
      return [];
  }
}

function numbered<T>(ids: Map<string, number>, list: T[], key: string, value: T): number {
  let id = ids.get(key);
  if (id === undefined) {
    id = list.length;
    ids.set(key, id);
    list.push(value);
  }
  return id;
}
