/** A sync by digest leaves both hosts with what telling each other everything would have left them with. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../mod/base/random.ts";
import { Awareness } from "../../mod/swim/awareness.ts";
import { Evidence } from "../../mod/swim/evidence.ts";
import { LIFEGUARD } from "../../mod/swim/lifeguard.ts";
import type { Member, MemberStatus } from "../../mod/swim/member.ts";
import { MemberSync } from "../../mod/swim/member_sync.ts";
import { MemberTable } from "../../mod/swim/members.ts";
import { newsVersion, syncEntry } from "../../mod/swim/news.ts";
import { GossipQueue } from "../../mod/swim/queue.ts";
import { Self } from "../../mod/swim/self.ts";
import { LAN_TIMINGS } from "../../mod/swim/timings.ts";
import { decodeMessage } from "../../mod/wire/messages.ts";
import { encodeSync, type Sync, type SyncEntry } from "../../mod/wire/sync_messages.ts";
import { peer } from "../unit/swim/stage.ts";

interface Belief {
  readonly number: number;
  readonly status: MemberStatus;
  readonly incarnation: number;
}

const NOTHING = new Uint8Array();

/** What of a host takes part in syncs. */
class Side {
  readonly table = new MemberTable();
  readonly self: Self;
  readonly sync: MemberSync;
  readonly #evidence: Evidence;

  constructor(number: number, beliefs: readonly Belief[]) {
    const queue = new GossipQueue();
    const own = { ...peer(number), status: "alive", statusSinceMs: 0 } as const;
    this.self = new Self(own, this.table, queue, () => {});
    this.sync = new MemberSync(this);
    this.#evidence = new Evidence({
      self: this.self,
      table: this.table,
      queue,
      awareness: new Awareness(8),
      lifeguard: LIFEGUARD,
      timings: LAN_TIMINGS,
      changed: () => {},
      refused: () => {},
      forgotten: () => {},
      identityWatch: { seen: () => {} },
    });
    for (const { number, status, incarnation } of beliefs) {
      const endpoint = `10.0.${number >> 8}.${number & 255}:7947`;
      const record = peer(number, { incarnation, endpoint });
      // A host does not take itself for anything but alive.
      if (record.id !== own.id) this.table.put({ ...record, status, statusSinceMs: 0 });
    }
  }

  get own(): SyncEntry {
    return syncEntry(this.self.member);
  }

  merge(entries: readonly SyncEntry[]): void {
    for (const entry of entries) this.#evidence.merge(1, entry);
  }

  everything(): SyncEntry[] {
    return this.table.list().map(syncEntry);
  }

  /** The incarnation of one who left counts for nothing: nobody is told of it who does not know the member otherwise. */
  beliefs() {
    return this.table.list()
      .filter(({ id }) => Number(id) > 2)
      .map(({ id, status, incarnation, instance }: Member) =>
        status === "left" ? { id, status } : { id, status, incarnation, instance }
      );
  }

  versionOf(number: number): number {
    const member = this.table.get(peer(number).id);
    assert(member !== undefined);
    return newsVersion(member.incarnation, member.status);
  }
}

/** Bytes of all messages so far. */
let bytesCarried = 0;

function carry<Message extends Sync>(message: Message): Message {
  const bytes = encodeSync(message);
  bytesCarried += bytes.length;
  const carried = decodeMessage(bytes);
  assert(carried.kind === message.kind);
  return carried as Message;
}

/** As it was before digests: each tells everything, the asker first. */
function syncFully(asker: Side, peer: Side): void {
  peer.merge(asker.everything());
  asker.merge(peer.everything());
}

/** Returns how many entries were told. */
function syncByDigest(asker: Side, peer: Side): number {
  const question = carry({
    kind: "compare",
    sender: asker.own,
    members: asker.sync.summary(),
    rider: NOTHING,
  });
  peer.merge([question.sender]);
  const answer = carry({
    kind: "compared",
    sender: peer.own,
    members: peer.sync.answer(question.members),
    rider: NOTHING,
  });
  const told = answer.members.kind === "everything" ? answer.members.entries : [];
  asker.merge([answer.sender, ...told]);
  const rest = asker.sync.update(answer.sender, answer.members);
  if (rest === null) return told.length;
  const update = carry({ kind: "update", sender: asker.own, ...rest, rider: NOTHING });
  peer.merge([update.sender, ...update.entries]);
  const updated = carry({
    kind: "updated",
    sender: peer.own,
    entries: peer.sync.rest(update),
    rider: NOTHING,
  });
  asker.merge([updated.sender, ...updated.entries]);
  return told.length + update.entries.length + updated.entries.length;
}

const belief: fc.Arbitrary<Belief> = fc.record({
  number: fc.integer({ min: 1, max: 60 }),
  status: fc.constantFrom("alive", "alive", "suspect", "dead", "left"),
  incarnation: fc.integer({ min: 8, max: 12 }),
});

const uniqueBeliefs = (maxLength: number) =>
  fc.uniqueArray(belief, { maxLength, selector: ({ number }) => number });

/** Two tables that have much in common, or nothing. */
const tables = fc.tuple(uniqueBeliefs(60), uniqueBeliefs(12), uniqueBeliefs(60)).map(
  ([common, changes, foreign]) => {
    const changed = new Map(common.map((belief) => [belief.number, belief]));
    for (const change of changes) changed.set(change.number, change);
    return { one: common, other: [...changed.values()], foreign };
  },
);

function assertEqualOutcome(one: readonly Belief[], other: readonly Belief[]): void {
  const full = [new Side(1, one), new Side(2, other)] as const;
  const digest = [new Side(1, one), new Side(2, other)] as const;
  syncFully(...full);
  syncByDigest(...digest);
  for (const index of [0, 1] as const) {
    assert.deepEqual(digest[index].beliefs(), full[index].beliefs());
    for (const number of [1, 2]) {
      // Of the two themselves more may be known: a second question carries what they refuted after the first.
      assert.ok(digest[index].versionOf(number) >= full[index].versionOf(number));
    }
  }
}

Deno.test("tables that differ in some members end as after telling everything", () => {
  fc.assert(
    fc.property(tables, ({ one, other }) => assertEqualOutcome(one, other)),
    { numRuns: 300 },
  );
});

Deno.test("tables that have nothing in common end as after telling everything", () => {
  fc.assert(
    fc.property(tables, ({ one, foreign }) => assertEqualOutcome(one, foreign)),
    { numRuns: 300 },
  );
});

Deno.test("tables that are the same are not told", () => {
  fc.assert(fc.property(uniqueBeliefs(60), (beliefs) => {
    const sides = [1, 2].map((number) =>
      new Side(number, [
        ...beliefs.filter(({ number }) => number > 2),
        { number: 3 - number, status: "alive", incarnation: 10 },
      ])
    );
    const [one, other] = sides;
    assert(one !== undefined && other !== undefined);
    assert.equal(syncByDigest(one, other), 0);
  }));
});

Deno.test("of a thousand members that differ in one, some dozen entries are told, less than 4 kB", () => {
  const random = new Random(1);
  for (let round = 0; round < 20; round++) {
    const beliefs = Array.from({ length: 1000 }, (_, index): Belief => ({
      number: index + 1,
      status: "alive",
      incarnation: 10,
    }));
    const odd = 2 + random.below(998);
    const other = beliefs.with(odd, { number: odd + 1, status: "suspect", incarnation: 11 });
    bytesCarried = 0;
    const told = syncByDigest(new Side(1, beliefs), new Side(2, other));
    assert.ok(told >= 1 && told <= 30, `${told} told`);
    assert.ok(bytesCarried < 4_000, `${bytesCarried} bytes`);
  }
});
