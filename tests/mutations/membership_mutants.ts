/** Each rule of membership, broken once. A rule that nothing notices is either not checked or not needed. */
import type { Mutant } from "./mutant.ts";

const SWIM = "mod/swim";

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  // What is believed.
  {
    rule: "an alive message counts only when it is newer",
    file: `${SWIM}/evidence.ts`,
    find: "if (record.incarnation <= known.incarnation) {",
    replace: "if (record.incarnation < known.incarnation) {",
  },
  {
    rule: "old alive messages do not resurrect",
    file: `${SWIM}/evidence.ts`,
    find: "if (record.incarnation <= known.incarnation) {",
    replace: "if (false) {",
  },
  {
    rule: "accusations of an old incarnation are ignored",
    file: `${SWIM}/evidence.ts`,
    find: "if (known === undefined || incarnation < known.incarnation) return undefined;",
    replace: "if (known === undefined) return undefined;",
  },
  {
    rule: "who is accused refutes",
    file: `${SWIM}/evidence.ts`,
    find: "if (this.#outlive(nowMs, incarnation)) this.#awareness.adjust(1);",
    replace: "",
  },
  {
    rule: "a refutation is above the accusation",
    file: `${SWIM}/self.ts`,
    find: "next(Math.max(this.member.incarnation, incarnation))",
    replace: "this.member.incarnation",
  },
  {
    rule: "who has to refute is less sure of its own health",
    file: `${SWIM}/evidence.ts`,
    find: "if (this.#outlive(nowMs, incarnation)) this.#awareness.adjust(1);",
    replace: "this.#outlive(nowMs, incarnation);",
    noticedBy: "tests/unit/swim/evidence_test.ts",
  },
  {
    rule: "a peer's verdict in a sync is only a suspicion",
    file: `${SWIM}/evidence.ts`,
    find:
      "    this.#learn(nowMs, record);\n    this.suspect(nowMs, { id, incarnation, accuser: this.#self.id });",
    replace:
      "    this.#learn(nowMs, record);\n    this.dead(nowMs, { id, incarnation, accuser: this.#self.id });",
  },
  {
    rule: "a goodbye in a sync counts as a goodbye",
    likelySeed: 47,
    file: `${SWIM}/evidence.ts`,
    find: "return this.left(nowMs, { id, incarnation, instance, isForgotten });",
    replace: "return;",
  },
  {
    rule: "suspicions end",
    file: `${SWIM}/evidence.ts`,
    find: "if (suspicion.deadlineMs > nowMs) continue;",
    replace: "if (suspicion.deadlineMs > 0) continue;",
  },
  {
    rule: "a suspicion ends with its refutation",
    file: `${SWIM}/evidence.ts`,
    find:
      "    this.#suspicions.delete(record.id);\n    this.#put(nowMs, {\n      ...pickRecord(record),",
    replace: "    this.#put(nowMs, {\n      ...pickRecord(record),",
  },
  {
    rule: "verdicts are told to others",
    file: `${SWIM}/evidence.ts`,
    find: "    this.#announce(member, witness);\n",
    replace: "",
  },
  {
    rule: "a suspicion leaves time to refute",
    file: `${SWIM}/suspicion.ts`,
    find: "return Math.max(this.#startMs + durationMs, this.#notBeforeMs);",
    replace: "return this.#startMs + durationMs / 20;",
  },
  {
    rule: "accusers are counted once each",
    file: `${SWIM}/suspicion.ts`,
    find: "if (this.#accusers.size > this.#expected || this.#accusers.has(accuser)) return false;",
    replace: "if (this.#accusers.size > this.#expected) return false;",
  },
  {
    rule: "a lone suspicion is a long one",
    file: `${SWIM}/suspicion.ts`,
    find: "const confirmations = this.#accusers.size - 1;",
    replace: "const confirmations = this.#expected;",
  },
  {
    rule: "who stood still does not hold that time against others",
    file: `${SWIM}/swim.ts`,
    find: "this.#evidence.postpone(nowMs, lateMs);",
    replace: "",
    noticedBy: "tests/unit/swim/probe_test.ts",
  },
  {
    rule: "who stood still gives its probe up without a verdict",
    file: `${SWIM}/swim.ts`,
    find: "this.#prober.excuse(nowMs);",
    replace: "",
  },
  // Probes.
  {
    rule: "others are asked before anybody is suspected",
    file: `${SWIM}/prober.ts`,
    find: "else if (!round.isIndirect && nowMs >= round.directDeadlineMs) this.#ask(nowMs, round);",
    replace: "",
  },
  {
    rule: "helpers are asked",
    file: `${SWIM}/prober.ts`,
    find:
      "      this.#post.sendWithGossip(helper.endpoint, [encodeIndirectPing(sequence, target.id)]);\n",
    replace: "",
  },
  {
    rule: "a stream is tried as well",
    file: `${SWIM}/prober.ts`,
    find: "if (isAck && outcome.message.sequence === sequence) round.isReached = true;",
    replace: "if (isAck && outcome.message.sequence === sequence) round.isReached = false;",
    noticedBy: "tests/unit/swim/probe_test.ts",
  },
  {
    rule: "rounds do not overlap",
    file: `${SWIM}/prober.ts`,
    find: "if (this.#round === null && nowMs >= this.#nextRoundAtMs) this.#begin(nowMs);",
    replace: "if (nowMs >= this.#nextRoundAtMs) this.#begin(nowMs);",
  },
  {
    rule: "everybody's turn comes",
    file: `${SWIM}/prober.ts`,
    find: "const member = this.#table.get(this.#lap[this.#next++] ?? this.#selfId);",
    replace: "const member = this.#table.get(this.#lap[this.#next++ && 0] ?? this.#selfId);",
  },
  {
    rule: "the dead are not probed",
    file: `${SWIM}/prober.ts`,
    find:
      'return member.id !== this.#selfId && (member.status === "alive" || member.status === "suspect");',
    replace: "return member.id !== this.#selfId;",
  },
  {
    rule: "suspects are probed on",
    file: `${SWIM}/prober.ts`,
    find:
      'return member.id !== this.#selfId && (member.status === "alive" || member.status === "suspect");',
    replace: 'return member.id !== this.#selfId && member.status === "alive";',
  },
  {
    rule: "a round without an answer is a suspicion",
    file: `${SWIM}/prober.ts`,
    find:
      "    this.#evidence.suspect(nowMs, {\n      id: target.id,\n      incarnation: target.incarnation,",
    replace: "    this.#evidence.suspect(nowMs, {\n      id: this.#selfId,\n      incarnation: -1,",
  },
  {
    rule: "an answered round improves local health",
    file: `${SWIM}/prober.ts`,
    find: "this.#awareness.adjust(-1);",
    replace: "",
  },
  {
    rule: "an unanswered round lets a host doubt itself",
    file: `${SWIM}/prober.ts`,
    find: "this.#awareness.adjust(round.helpers === 0 ? 1 : round.silentHelpers.size);",
    replace: "",
    noticedBy: "tests/unit/swim/probe_test.ts",
  },
  {
    rule: "only the host that is meant answers a ping",
    file: `${SWIM}/receiver.ts`,
    find: "    if (ping.target !== this.#self.id) return;\n",
    replace: "",
    noticedBy: "tests/unit/swim/probe_test.ts",
  },
  {
    rule: "helpers pass the answer on",
    file: `${SWIM}/relays.ts`,
    find: "this.#post.send(relay.asker, [encodeAck(relay.askerSequence)]);",
    replace: "",
  },
  {
    rule: "helpers say that they heard nothing",
    file: `${SWIM}/relays.ts`,
    find: "this.#post.send(relay.asker, [encodeNack(relay.askerSequence)]);",
    replace: "",
  },
  {
    rule: "the suspect hears of it with its next ping",
    file: `${SWIM}/prober.ts`,
    find: "messages.push(encodeSuspect(target.incarnation, target.id, this.#selfId));",
    replace: "",
  },
  // Gossip.
  {
    rule: "news are passed on",
    file: `${SWIM}/gossiper.ts`,
    find: "for (const target of targets) this.#post.sendGossip(target.endpoint);",
    replace: "",
  },
  {
    rule: "the lately dead hear news",
    file: `${SWIM}/gossiper.ts`,
    find: "return nowMs - member.statusSinceMs < this.#timings.gossipToTheDeadMs;",
    replace: "return false;",
    noticedBy: "tests/unit/swim/gossip_test.ts",
  },
  {
    rule: "the long dead hear no news",
    likelySeed: 10,
    file: `${SWIM}/gossiper.ts`,
    find: "return nowMs - member.statusSinceMs < this.#timings.gossipToTheDeadMs;",
    replace: "return true;",
  },
  {
    rule: "who left hears no news",
    likelySeed: 3,
    file: `${SWIM}/gossiper.ts`,
    find: '      case "left":\n        return false;',
    replace: '      case "left":\n        return true;',
    noticedBy: "tests/unit/swim/forget_test.ts",
  },
  {
    rule: "an item is sent a limited number of times",
    file: `${SWIM}/queue.ts`,
    find: "if (item.sent < limit) {",
    replace: "if (item.sent < 3 * limit) {",
  },
  {
    rule: "an item is sent as often as the limit says",
    file: `${SWIM}/queue.ts`,
    find: "if (item.sent < limit) {",
    replace: "if (false) {",
  },
  {
    rule: "old news do not push out newer ones",
    file: `${SWIM}/queue.ts`,
    find: "if (held.version > version) return false;",
    replace: "",
    noticedBy: "tests/unit/swim/queue_test.ts",
  },
  {
    rule: "news ride on probes and answers",
    file: `${SWIM}/post.ts`,
    find: "if (this.#queue.length === 0) return this.#send(to, path, messages);",
    replace: "if (this.#queue.length >= 0) return this.#send(to, path, messages);",
    noticedBy: "tests/unit/swim/forged_sender_test.ts",
  },
  {
    rule: "outdated news of oneself are answered with what is known",
    file: `${SWIM}/receiver.ts`,
    find: "          this.#correct(nowMs, from, message.record);\n",
    replace: "",
    noticedBy: "tests/unit/swim/evidence_test.ts",
  },
  {
    rule: "who holds refuted news is told so",
    file: `${SWIM}/receiver.ts`,
    find: "    if (known.id === this.#self.id || isHere) this.#tell(from, known);\n",
    replace: "",
    noticedBy: "tests/unit/swim/evidence_test.ts",
  },
  // Syncs.
  {
    rule: "hosts sync now and then",
    likelySeed: 173,
    file: `${SWIM}/synchroniser.ts`,
    find: "    this.start(nowMs, peer.endpoint);\n",
    replace: "",
  },
  {
    rule: "who is asked for a sync takes what it is told",
    file: `${SWIM}/synchroniser.ts`,
    find: "this.#merge(nowMs, update.sender, update.entries);",
    replace: "",
    noticedBy: "tests/unit/swim/sync_test.ts",
  },
  {
    rule: "who asks for a sync takes what it is told",
    file: `${SWIM}/synchroniser.ts`,
    find: "this.#merge(laterMs, rest.sender, rest.entries);",
    replace: "",
    noticedBy: "tests/unit/swim/sync_test.ts",
  },
  // Finding each other again.
  {
    rule: "lost members are dialled again",
    likelySeed: 178,
    file: `${SWIM}/reconnector.ts`,
    find: "for (const endpoint of this.#choose(nowMs)) this.#synchroniser.start(nowMs, endpoint);",
    replace: "this.#choose(nowMs);",
  },
  {
    rule: "remembered members are looked for",
    file: `${SWIM}/reconnector.ts`,
    find: "if (member.id !== this.#selfId) this.#remembered.set(member.id, member);",
    replace: "",
    noticedBy: "tests/unit/swim/leave_test.ts",
  },
  {
    rule: "a network that is back, or another one, has the lost dialled at once",
    file: `${SWIM}/reconnector.ts`,
    find: "    if (this.#isHurried) this.#nextAtMs = nowMs;\n",
    replace: "",
    noticedBy: "tests/unit/swim/moved_test.ts",
  },
  {
    rule: "and the seeds that were given up for a while",
    file: `${SWIM}/seeds.ts`,
    find: "      seed.attempts = 0;\n      seed.nextAtMs = nowMs;\n    }\n  }\n\n  /** Nobody else",
    replace: "    }\n  }\n\n  /** Nobody else",
    noticedBy: "tests/unit/swim/moved_test.ts",
  },
  {
    rule: "who may have taken this host's former address is looked for there",
    file: `${SWIM}/reconnector.ts`,
    find: "endpoint === this.#ownEndpoint ? this.#formerEndpoint ?? endpoint : endpoint",
    replace: "endpoint",
    noticedBy: "tests/unit/swim/moved_test.ts",
  },
  {
    rule: "a host that moved says so",
    file: `${SWIM}/self.ts`,
    find: "    this.#put(nowMs, { endpoint, incarnation: next(this.member.incarnation) });\n",
    replace: "",
    noticedBy: "tests/unit/swim/leave_test.ts",
  },
  {
    rule: "seeds are tried again",
    file: `${SWIM}/seeds.ts`,
    find:
      '  #fail(nowMs: number, seed: Seed, state: SeedState["state"], reason: string): void {\n    seed.view = { seed: seed.view.seed, state, reason };\n    seed.nextAtMs = nowMs + this.#backoffMs(seed);',
    replace:
      '  #fail(nowMs: number, seed: Seed, state: SeedState["state"], reason: string): void {\n    seed.view = { seed: seed.view.seed, state, reason };\n    if (nowMs < 0) seed.nextAtMs = nowMs + this.#backoffMs(seed);',
  },
  {
    rule: "the members are written down",
    file: `${SWIM}/keeper.ts`,
    find: "if (nowMs >= this.#writeAtMs) this.#write(nowMs);",
    replace: "if (nowMs >= this.#writeAtMs) this.#writeAtMs = Infinity;",
  },
  // Leaving.
  {
    rule: "who leaves tells the others",
    file: `${SWIM}/farewell.ts`,
    find: "      this.#post.send(member.endpoint, [this.#self.encoded]);\n",
    replace: "",
    noticedBy: "tests/unit/swim/leave_test.ts",
  },
  {
    rule: "who left does not refute",
    likelySeed: 15,
    file: `${SWIM}/evidence.ts`,
    find: "if (this.#self.hasLeft || this.#jumps(",
    replace: "if (this.#jumps(",
    noticedBy: "tests/unit/swim/leave_test.ts",
  },
  {
    rule: "who comes back outdoes its goodbye",
    likelySeed: 15,
    file: `${SWIM}/self.ts`,
    find: '{ status: "alive", statusSinceMs: nowMs, incarnation }',
    replace: '{ status: "alive", statusSinceMs: nowMs, incarnation: incarnation - 1 }',
  },
  {
    rule: "a goodbye ends in time",
    likelySeed: 151,
    file: `${SWIM}/farewell.ts`,
    find: "if (nowMs >= this.#deadlineMs) this.#end();",
    replace: "",
  },
];
