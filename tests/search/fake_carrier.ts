/** Membership as it is with a perfect detector of failures: what claimants of the search are attached to. */
import assert from "node:assert/strict";
import type { Member } from "../../mod/swim/member.ts";
import type { Carrier } from "../../mod/swim/rider.ts";
import type { Catalogue } from "./catalogue.ts";
import { endpointOf, instanceOf, nameOf } from "./identity.ts";
import type { Item } from "./input.ts";
import { isThere, startsOf, STATUSES, statusOf, SUSPECT, UNKNOWN } from "./member_code.ts";

const LETTER_BYTES_MAX = 1_200;

export class FakeCarrier implements Carrier {
  readonly letterBytesMax = LETTER_BYTES_MAX;
  readonly members_: number[];
  readonly #hosts: Catalogue;
  readonly #host: number;
  #items: Item[] = [];
  #syncs: number[] = [];

  constructor(hosts: Catalogue, host: number, members: number[]) {
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
