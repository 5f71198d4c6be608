/**
 * The local half of the search: claimants as numbered states, and what each does with each input, worked out once.
 *
 * What a host does depends on its own state and the input alone, so every pair of the two is run once on a copy of the
 * real claimant and remembered; the search over all hosts then only looks numbers up.
 */
import assert from "node:assert/strict";
import type { Action } from "../../mod/base/core.ts";
import type { Pool } from "../../mod/address/pool.ts";
import type { ClaimMessage } from "../../mod/claim/messages.ts";
import type { ClaimOptions, RestoredClaim } from "../../mod/claim/options.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import type { ClaimEvent, LifeState } from "../../mod/claim/snapshot.ts";
import type { Member, MemberStatus } from "../../mod/swim/member.ts";
import type { Carrier } from "../../mod/swim/rider.ts";
import type { OpenedClaimant, OpenedTree } from "./opened_tree.ts";
import { NOW_MS, Walker } from "./walker.ts";
import { stepBreach } from "./step_rules.ts";

export const STATUSES: readonly MemberStatus[] = ["alive", "suspect", "dead", "left"];
export const [ALIVE, SUSPECT, DEAD, LEFT] = [0, 1, 2, 3];
/** A member as a host sees it: the number of its start and its status. */
export const UNKNOWN = -1;

export function memberCode(starts: number, status: number): number {
  return starts * STATUSES.length + status;
}

export function statusOf(code: number): number {
  return code === UNKNOWN ? UNKNOWN : code % STATUSES.length;
}

function isThere(code: number): boolean {
  return code !== UNKNOWN && statusOf(code) <= SUSPECT;
}

export function startsOf(code: number): number {
  return code === UNKNOWN ? 0 : Math.floor(code / STATUSES.length);
}

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

/** What the search looks at in a host. */
export interface View {
  readonly isUp: boolean;
  readonly stage: LifeState | "down";
  /** Index of the subnet held, as the host itself believes; -1 for none. */
  readonly held: number;
  readonly subnet: string | null;
  readonly reason: string | null;
  readonly own: ClaimRecord | null;
  readonly isSettled: boolean;
  /** The latest record of each host known here, by host; bytes as payload numbers. */
  readonly records: readonly (KnownRecord | null)[];
  /** Owners by the order alone. */
  readonly owners: string;
  /** Records that count, and the fence: tombstones are dropped here sooner than there. */
  readonly knowledge: string;
  readonly fence: ReadonlyMap<string, number>;
  readonly complete: boolean;
}

export interface KnownRecord {
  readonly record: ClaimRecord;
  readonly payload: number;
}

/** A host with what is its own. */
export interface Place {
  readonly host: number;
  /** Null while the host is down. */
  readonly claimant: OpenedClaimant | null;
  /** Codes of the members as seen here; the host's own says only how often it started. */
  readonly members: readonly number[];
  /** The document on disk, -1 for none. */
  readonly disk: number;
}

/** A state of a host; its claimant is at rest: never stepped, only copied. */
export interface Local extends Place {
  readonly id: number;
  readonly wakeInMs: number;
  readonly view: View;
  /** How the search came here first: null for the beginning. */
  readonly origin: { readonly from: number; readonly input: number } | null;
}

export interface Step {
  readonly to: number;
  readonly items: readonly number[];
  /** The answer of a sync, as a payload; -1 for none. */
  readonly answer: number;
  /** What went wrong within this one host; null for nothing. */
  readonly breach: string | null;
}

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

const CLUSTER = "search";
const INPUTS_MAX = 2 ** 22;
const LETTER_BYTES_MAX = 1_200;
/** Steps of a host at one moment that lead nowhere: it is stuck. */
const WAKES_MAX = 50;

export class Hosts {
  readonly tree: OpenedTree;
  readonly pool: Pool;
  readonly subnets: readonly string[];
  readonly ids: readonly string[];
  readonly settings: HostSettings;
  readonly walker = new Walker();
  readonly locals: Local[] = [];
  readonly items: Item[] = [];
  readonly inputs: Input[] = [];
  readonly blobs: Blob[] = [];
  readonly #localIds = new Map<string, number>();
  readonly #itemIds = new Map<string, number>();
  readonly #inputIds = new Map<string, number>();
  readonly #blobIds = new Map<string, number>();
  readonly #steps = new Map<number, Step>();
  readonly #memories = new Map<number, RestoredClaim>();
  readonly #told = new Map<number, readonly ClaimRecord[]>();
  readonly #recordBlobs = new WeakMap<Uint8Array, number>();
  /** Other ways to a state that was known: for the check that merging is sound. */
  readonly detours: { readonly from: number; readonly input: number; readonly to: number }[] = [];

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
    this.ids = hostIds(settings.hosts, tree, this.subnets);
  }

  /** How people read a host. */
  label(host: number): string {
    return nameOf(host);
  }

  get stepCount(): number {
    return this.#steps.size;
  }

  /** The host before its first start. */
  initial(host: number): number {
    const members = this.ids.map((_, other) => other === host ? memberCode(0, ALIVE) : UNKNOWN);
    return this.#intern(host, null, members, -1, null).id;
  }

  local(id: number): Local {
    const local = this.locals[id];
    assert(local !== undefined, "a local state of that number");
    return local;
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

  /** What the host in that state does with that input. */
  step(localId: number, inputId: number): Step {
    const key = localId * INPUTS_MAX + inputId;
    let step = this.#steps.get(key);
    if (step === undefined) {
      step = this.#run(this.local(localId), inputId);
      this.#steps.set(key, step);
    }
    return step;
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

  #run(local: Local, inputId: number): Step {
    const input = this.inputs[inputId];
    assert(input !== undefined, "an input of that number");
    const origin = { from: local.id, input: inputId };
    const { host, members } = local;
    if (input.kind === "crash" || input.kind === "left" || input.kind === "swap") {
      const after = [...members];
      const starts = startsOf(members[host] ?? UNKNOWN);
      if (input.kind === "left") after[host] = memberCode(starts, LEFT);
      const disk = input.kind === "swap" ? input.payload : local.disk;
      const to = this.#intern(host, null, after, disk, origin);
      return { to: to.id, items: [], answer: -1, breach: null };
    }
    const run = new Run(this, local, input);
    let breach: string | null = null;
    try {
      run.perform(NOW_MS);
    } catch (error) {
      breach = `an error: ${error instanceof Error ? error.stack : error}`;
    }
    const to = this.#intern(host, run.claimant, run.carrier.members_, run.disk, origin);
    breach ??= stepBreach(this, local, input, to, run.items);
    return { to: to.id, items: run.items, answer: run.answer, breach };
  }

  #intern(
    host: number,
    claimant: OpenedClaimant | null,
    members: readonly number[],
    disk: number,
    origin: Local["origin"],
  ): Local {
    const inside = claimant === null
      ? "down"
      : `${claimant.$context.options.seedsGiven} ${this.walker.fingerprint(claimant)}`;
    const key = `${host} ${members.join()} ${disk} ${inside}`;
    const known = this.#localIds.get(key);
    if (known !== undefined) {
      if (origin !== null && this.detours.length < 200_000) {
        this.detours.push({ ...origin, to: known });
      }
      return this.local(known);
    }
    const id = this.locals.length;
    const local: Local = {
      id,
      host,
      claimant,
      members: [...members],
      disk,
      wakeInMs: claimant === null ? Infinity : claimant.wakeAtMs() - NOW_MS,
      view: viewOf(this, claimant),
      origin,
    };
    this.locals.push(local);
    this.#localIds.set(key, id);
    return local;
  }
}

/** One input given to one host. */
export class Run {
  readonly #hosts: Hosts;
  readonly #input: Input;
  readonly #host: number;
  readonly carrier: FakeCarrier;
  claimant: OpenedClaimant;
  disk: number;
  answer = -1;
  readonly items: number[] = [];

  /** On a copy of the claimant at rest; `inPlace` goes on with that very claimant. */
  constructor(hosts: Hosts, from: Place, input: Input, inPlace = false) {
    this.#hosts = hosts;
    this.#input = input;
    this.#host = from.host;
    this.disk = from.disk;
    const members = [...from.members];
    if (input.kind === "start") {
      const starts = startsOf(members[from.host] ?? UNKNOWN) + 1;
      // Who was known is dialled again, and a member once more when it answers.
      for (const other of members.keys()) members[other] = UNKNOWN;
      members[from.host] = memberCode(starts, ALIVE);
    }
    this.carrier = new FakeCarrier(hosts, from.host, members);
    if (inPlace && from.claimant !== null) {
      this.claimant = from.claimant;
      this.claimant.attach(this.carrier);
      return;
    }
    this.claimant = newClaimant(hosts, from, members, this.carrier);
    if (from.claimant !== null) {
      const shiftMs = input.kind === "pass" || input.kind === "sleep" ? -input.ms : 0;
      hosts.walker.copy(from.claimant, this.claimant, shiftMs);
    }
  }

  perform(nowMs: number): void {
    const { claimant } = this;
    if (this.#input.kind === "sleep") return;
    this.#give(nowMs);
    claimant.advance(nowMs);
    this.#collect(nowMs, claimant.drain());
    for (let count = 0; claimant.wakeAtMs() <= nowMs; count++) {
      assert(count < WAKES_MAX, "a host has to do with one moment at some time");
      claimant.advance(nowMs);
      const actions = claimant.drain();
      if (actions.length === 0 && this.carrier.isQuiet) claimant.idle();
      this.#collect(nowMs, actions);
    }
  }

  #give(nowMs: number): void {
    const { claimant, carrier } = this;
    const hosts = this.#hosts;
    const input = this.#input;
    switch (input.kind) {
      case "letter":
      case "gossip": {
        const arrival = { via: input.kind, from: endpointOf(input.from) };
        return claimant.receive(nowMs, arrival, hosts.blob(input.payload).bytes);
      }
      case "member":
        return this.#meet(nowMs, input.about, input.code);
      case "persisted":
        this.disk = input.payload;
        return claimant.persisted(nowMs, input.id, undefined);
      case "refused":
        return claimant.persisted(nowMs, input.id, "no space left on device");
      case "compared": {
        this.#meet(nowMs, input.from, input.code);
        const answer = claimant.compared(nowMs, hosts.blob(input.payload).bytes);
        this.answer = hosts.blobId(answer, carrier.members_);
        return;
      }
      case "update": {
        const { bytes, members } = hosts.blob(input.payload);
        for (const [about, code] of members.entries()) {
          if (about !== this.#host && code !== UNKNOWN) this.#learn(nowMs, about, code);
        }
        const update = claimant.update(nowMs, this.#idOf(input.from), bytes);
        if (update !== null) this.answer = hosts.blobId(update);
        return;
      }
      case "updated":
        this.answer = hosts.blobId(claimant.updated(nowMs, hosts.blob(input.payload).bytes));
        return;
      case "merged":
        if (input.payload >= 0) {
          claimant.merge(nowMs, this.#idOf(input.from), hosts.blob(input.payload).bytes);
        }
        return claimant.synced(nowMs, this.#idOf(input.from));
      case "release":
        return claimant.command(nowMs, { kind: "leave", release: true });
      case "forget":
        return claimant.command(nowMs, { kind: "forget", hostId: this.#idOf(input.about) });
      default:
        return; // time passes, or life begins
    }
  }

  #idOf(host: number): string {
    const id = this.#hosts.ids[host];
    assert(id !== undefined, "a host of that number");
    return id;
  }

  /** Truth about a member, or its own word. */
  #meet(nowMs: number, about: number, code: number): void {
    const before = this.carrier.members_[about] ?? UNKNOWN;
    if (before === code || startsOf(code) < startsOf(before)) return;
    const previous = this.carrier.memberAt(about) ?? null;
    this.carrier.members_[about] = code;
    const member = this.carrier.memberAt(about);
    assert(member !== undefined, "who was met is known");
    this.claimant.memberChanged(nowMs, member, previous);
    const isSeen = statusOf(code) === ALIVE || statusOf(code) === LEFT;
    if (!isSeen) return;
    for (const other of this.#hosts.ids.keys()) { // news of members spread by gossip
      if (other === about || other === this.#host) continue;
      if (statusOf(this.carrier.members_[other] ?? UNKNOWN) !== ALIVE) continue;
      this.#send({ kind: "member", from: this.#host, to: other, payload: code, about });
    }
  }

  /** Hearsay of a member: taken when it is news. */
  #learn(nowMs: number, about: number, code: number): void {
    const before = this.carrier.members_[about] ?? UNKNOWN;
    if (before === UNKNOWN || startsOf(code) > startsOf(before)) this.#meet(nowMs, about, code);
  }

  #send(item: Item): void {
    this.items.push(this.#hosts.itemId(item));
  }

  #collect(nowMs: number, actions: readonly Action<ClaimEvent>[]): void {
    const from = this.#host;
    for (const action of actions) {
      if (action.kind !== "persist") continue;
      const payload = this.#hosts.blobId(action.bytes);
      this.#send({ kind: "disk", from, to: from, payload, about: action.id });
    }
    for (const item of this.carrier.take()) this.#send(item);
    for (const to of this.carrier.takeSyncs()) {
      const payload = this.#hosts.blobId(this.claimant.compare(nowMs));
      const about = this.carrier.members_[from] ?? UNKNOWN;
      this.#send({ kind: "ask", from, to, payload, about });
    }
    const isGoing = this.claimant.snapshot().state === "released" && this.claimant.isLeaveOver;
    if (isGoing) this.#send({ kind: "leave", from, to: from, payload: 0, about: 0 });
  }
}

/** Membership as it is with a perfect detector of failures. */
export class FakeCarrier implements Carrier {
  readonly letterBytesMax = LETTER_BYTES_MAX;
  readonly members_: number[];
  readonly #hosts: Hosts;
  readonly #host: number;
  #items: Item[] = [];
  #syncs: number[] = [];

  constructor(hosts: Hosts, host: number, members: number[]) {
    this.#hosts = hosts;
    this.#host = host;
    this.members_ = members;
  }

  get isQuiet(): boolean {
    return this.#items.length === 0 && this.#syncs.length === 0;
  }

  gossip(_key: string, _version: number, bytes: Uint8Array): void {
    const payload = this.#hosts.blobId(bytes);
    for (const [to, code] of this.members_.entries()) {
      if (to === this.#host || statusOf(code) > SUSPECT || code === UNKNOWN) continue;
      this.#items.push({ kind: "gossip", from: this.#host, to, payload, about: 0 });
    }
  }

  letter(to: string, bytes: Uint8Array): void {
    assert(bytes.length <= LETTER_BYTES_MAX, "a letter fits its packet");
    const host = this.#hosts.ids.findIndex((_, at) => endpointOf(at) === to);
    const payload = this.#hosts.blobId(bytes);
    this.#items.push({ kind: "letter", from: this.#host, to: host, payload, about: 0 });
  }

  members(): Member[] {
    return this.members_.flatMap((_, at) => this.memberAt(at) ?? [])
      .sort((one, other) => one.id < other.id ? -1 : 1);
  }

  member(id: string): Member | undefined {
    return this.memberAt(this.#hosts.ids.indexOf(id));
  }

  memberAt(at: number): Member | undefined {
    const code = this.members_[at] ?? UNKNOWN;
    const [id, status] = [this.#hosts.ids[at], STATUSES[statusOf(code)]];
    if (code === UNKNOWN || id === undefined || status === undefined) return undefined;
    return {
      id,
      name: nameOf(at),
      endpoint: endpointOf(at),
      incarnation: 0,
      instance: instanceOf(at, startsOf(code)),
      status,
      version: "0.1.0",
      statusSinceMs: 0,
      protocolMin: 1,
      protocolMax: 1,
      features: 0,
    };
  }

  missing(): readonly string[] {
    return [];
  }

  /** Founders were given nobody, every other host those before it. */
  seeds(): {
    readonly given: number;
    readonly answered: number;
    readonly silent: readonly string[];
  } {
    const { founders = [0] } = this.#hosts.settings;
    if (founders.includes(this.#host)) return { given: 0, answered: 0, silent: [] };
    const given = this.members_.slice(0, this.#host);
    const answered = given.filter((code) => isThere(code)).length;
    return { given: given.length, answered, silent: [] };
  }

  self(): Member {
    const self = this.memberAt(this.#host);
    assert(self !== undefined, "a host knows itself");
    return self;
  }

  healthScore(): number {
    return 0;
  }

  requestSync(member: string): void {
    const at = this.#hosts.ids.indexOf(member);
    if (!this.#syncs.includes(at)) this.#syncs.push(at);
  }

  take(): Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  takeSyncs(): number[] {
    const syncs = this.#syncs;
    this.#syncs = [];
    return syncs;
  }
}

const NAMES = ["Ada", "Ben", "Cyd", "Dan"];

export function nameOf(host: number): string {
  return NAMES[host] ?? `host ${host}`;
}

export function endpointOf(host: number): string {
  return `192.168.0.${host + 1}:7947`;
}

function instanceOf(host: number, starts: number): string {
  return `${(host + 1).toString(16).padStart(8, "0")}${starts.toString(16).padStart(8, "0")}`;
}

/** Chance is left out: the first ones are taken, and pauses are of middle length. */
const NO_CHANCE = {
  uint32: () => 0,
  unit: () => 0.5,
  below: () => 0,
  shuffle: <T>(items: T[]) => items,
  sample: <T>(items: readonly T[], count: number) => items.slice(0, count),
};

function newClaimant(
  hosts: Hosts,
  local: Place,
  members: readonly number[],
  carrier: FakeCarrier,
): OpenedClaimant {
  const claimant = new hosts.tree.Claimant(
    local.claimant?.$context.options ?? optionsOf(hosts, local, members),
    NO_CHANCE as never,
  );
  claimant.attach(carrier);
  return claimant;
}

function optionsOf(hosts: Hosts, local: Place, members: readonly number[]): ClaimOptions {
  const { host } = local;
  const hostId = hosts.ids[host];
  assert(hostId !== undefined, "a host of that number");
  const pinned = hosts.settings.pins?.[host] ?? null;
  const knewOthers = local.members.some((code, other) => other !== host && code !== UNKNOWN);
  return {
    cluster: CLUSTER,
    pool: hosts.pool,
    pin: pinned === null ? null : hosts.subnets[pinned] ?? null,
    bootstrap: false,
    seedsGiven: !(hosts.settings.founders ?? [0]).includes(host) || knewOthers,
    vtep: {
      address: `192.168.0.${host + 1}`,
      port: 8472,
      mac: `02:00:00:00:00:0${host + 1}`,
    },
    hostId,
    instance: instanceOf(host, startsOf(members[host] ?? UNKNOWN)),
    restored: hosts.memory(local.disk),
  };
}

/** Ids of hosts that all want the first subnet first: the worst that can happen. */
function hostIds(count: number, _tree: OpenedTree, _subnets: readonly string[]): string[] {
  return Array.from({ length: count }, (_, at) => (at + 1).toString(16).repeat(32));
}

function viewOf(hosts: Hosts, claimant: OpenedClaimant | null): View {
  const none = hosts.ids.map(() => null);
  if (claimant === null) {
    return {
      isUp: false,
      stage: "down",
      held: -1,
      subnet: null,
      reason: null,
      own: null,
      isSettled: true,
      records: none,
      owners: "",
      knowledge: "",
      fence: new Map(),
      complete: false,
    };
  }
  const { state, subnet, reason, complete } = claimant.snapshot();
  const { ledger, own } = claimant.$context;
  const entries = ledger.entries();
  const records = hosts.ids.map((id) => {
    const entry = ledger.entry(id);
    return entry === undefined
      ? null
      : { record: entry.record, payload: hosts.recordId(entry.bytes) };
  });
  const fence = new Map(ledger.fence.entries().map(({ subnet, epoch }) => [subnet, epoch]));
  return {
    isUp: true,
    stage: state,
    held: state === "held" && subnet !== null ? hosts.subnets.indexOf(subnet) : -1,
    subnet,
    reason,
    own: own.announced,
    isSettled: own.latest === own.announced,
    records,
    owners: ledger.owners().map(({ hostId, subnet }) => `${hostId.slice(0, 2)}=${subnet}`).join(),
    knowledge: entries.filter(({ record }) => ledger.stands(record))
      .map(({ bytes }) => hosts.recordId(bytes)).join() +
      "/" +
      [...fence].map(([subnet, epoch]) => `${subnet}=${epoch}`).join(),
    fence,
    complete,
  };
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
