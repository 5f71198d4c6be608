/** Each rule of the claim protocol, switched off once. A rule that nothing misses is either not checked or not needed. */
import type { Change } from "./opened_tree.ts";

export interface Rule {
  /** In words. */
  readonly name: string;
  readonly changes: readonly Change[];
  /** Those in which its loss shows, the quickest first. */
  readonly configurations: readonly string[];
  /** A file of tests that misses it, where the search is too small to. */
  readonly noticedBy?: string;
}

const CLAIM = "mod/claim";

function rule(
  name: string,
  configurations: readonly string[],
  file: string,
  find: string,
  replace: string,
  noticedBy?: string,
): Rule {
  return {
    name,
    configurations,
    changes: [{ file: `${CLAIM}/${file}.ts`, find, replace }],
    ...(noticedBy === undefined ? {} : { noticedBy: `tests/unit/claim/${noticedBy}` }),
  };
}

const ANY = [
  ...["founders", "forget", "crashes", "split", "one-subnet", "founders-3", "three-split", "talk"],
  ...["deep-founders", "deep-three", "deep-split"],
];

/** Those whose loss shows: a counter-example was found, and is looked for in every run of the tests. */
export const RULES: readonly Rule[] = [
  rule(
    "refute: a holder takes on the epoch of a question",
    ["forget"],
    "held",
    'if (rival.state === "tentative") this.#epoch = Math.max(this.#epoch, rival.epoch);',
    "",
  ),
  rule(
    "raise: who wins a contest goes above it",
    ["founders"],
    "held",
    "this.#epoch = Math.min(Math.max(fence, this.#epoch) + 1, EPOCH_MAX);",
    "",
  ),
  {
    name: "yield only to who holds",
    configurations: ["forget"],
    changes: [
      {
        file: `${CLAIM}/held.ts`,
        find: 'const holders = rivals.filter(({ state }) => state === "held");',
        replace: "const holders = rivals;",
      },
      {
        file: `${CLAIM}/held.ts`,
        find: "ledger.isOwner(rival.hostId) && outranks(rival, own)",
        replace: "outranks(rival, own)",
      },
    ],
  },
  rule(
    "yield only to a strictly higher rank",
    ["founders"],
    "held",
    "ledger.isOwner(rival.hostId) && outranks(rival, own) && !this.#isToYieldToUs(rival)",
    "true",
  ),
  rule(
    "a claim that a majority acknowledged is stronger",
    ["deep-founders"],
    "tentative",
    "(isMajority ? STRONG : WEAK)",
    "WEAK",
  ),
  rule(
    "the highest of several holders below the fence goes above it",
    ["founders-3"],
    "held",
    "if (holders.length > 0 && !areGone && !(isHighest && fence > this.#epoch)) return;",
    "if (holders.length > 0) return;",
  ),
  rule(
    "the fence outlives tombstones",
    ["deep-days"],
    "ledger",
    "this.#unlist(record);\n  }\n\n  #list",
    "this.#unlist(record);\n    this.fence.$entries.delete(record.subnet);\n    this.fence.$index.delete(record.subnet);\n  }\n\n  #list",
  ),
  rule(
    "nobody acknowledges what it claims or seeks itself",
    ["forget"],
    "acknowledge",
    "if (sought !== null && cidrsOverlap(sought, claim.subnet)) {",
    "if (false) {",
  ),
  rule(
    "listen before choosing",
    ["forget"],
    "listening",
    "if (complete || !this.#context.hasOthers()) return this.#choose(nowMs);",
    "return this.#choose(nowMs);",
  ),
  rule(
    "a hold that the disk took too long over is not used",
    ["crashes"],
    "tentative",
    "const SLOW_DISK_MS = 1_500;",
    "const SLOW_DISK_MS = 1e12;",
  ),
  rule(
    "persisted before announced",
    ["crashes"],
    "own_record",
    "return this.#announced;\n  }\n\n  /** What this host wants",
    "return this.#pending?.record ?? this.#announced;\n  }\n\n  /** What this host wants",
  ),
  rule(
    "each start has a generation of its own",
    ["crashes"],
    "own_record",
    "(parts.restored?.generation ?? 0) + (parts.continues ? 0 : 1)",
    "(parts.restored?.generation ?? 1)",
  ),
  rule(
    "a restart goes on holding",
    ["crashes"],
    "life",
    'if (restored !== null && restored.state === "held") {',
    "if (false) {",
  ),
  rule(
    "the slow path waits for objections",
    ["crashes"],
    "tentative",
    "this.#startedMs + waits * this.#context.objectionWaitMs()",
    "this.#startedMs + 1",
  ),
  rule(
    "a host knows its own last word after a restart",
    ["crashes"],
    "life",
    "} else if (restored !== null) {",
    "} else if (false) {",
  ),
];

/**
 * Those whose loss has not shown within the budgets and the time spent so far. Some need what the search does not have yet
 * (suspicion, guardians, hostile senders), some a larger budget. `deno task search --rules` tries them too. For each, the tests
 * named here miss it: see tests/mutations/claim_test.ts.
 */
export const NOT_SHOWN: readonly Rule[] = [
  rule(
    "at equal epoch and strength the older stamp wins",
    ANY,
    "order",
    "compare: (one, other) => other.stamp - one.stamp,",
    "compare: () => 0,",
    "acknowledge_test.ts",
  ),
  rule(
    "the fence counts only what was held",
    ANY,
    "ledger",
    "return wasHeld(record) && this.fence.raise",
    "return this.fence.raise",
    "absence_test.ts",
  ),
  rule(
    "the fence is written to disk",
    ANY,
    "own_record",
    "fence: this.#parts.fence(),",
    "fence: [],",
    "held_test.ts",
  ),
  rule(
    "a release raises the epoch",
    ["deep-days", ...ANY],
    "released",
    "? Math.min(Math.max(ledger.fence.of(subnet), this.#given.epoch) + 1, EPOCH_MAX)",
    "? this.#given.epoch",
    "held_test.ts",
  ),
  rule(
    "a new claim goes above the fence",
    ANY,
    "tentative",
    "context.ledger.fence.of(subnet) + 1",
    "1",
    "forget_test.ts",
  ),
  rule(
    "one promise for each subnet",
    ANY,
    "acknowledge",
    "const promised = this.#promises.rivalOf(nowMs, claim);",
    "const promised = null;",
    "acknowledge_test.ts",
  ),
  rule(
    "nobody acknowledges before its first full sync",
    ANY,
    "acknowledge",
    'if (!context.complete) return { kind: "later" };',
    "",
    "acknowledge_test.ts",
  ),
  rule(
    "the fast path needs all",
    ANY,
    "tentative",
    "return agreed === this.#asked.size",
    "return agreed > 0",
    "tentative_test.ts",
  ),
  rule(
    "members that an answer names must be asked",
    ANY,
    "tentative",
    "return [...alive, ...named];",
    "return [...alive, ...named.slice(0, 0)];",
    "tentative_test.ts",
  ),
  rule(
    "members that an answer names and nobody knows here are heard of first",
    ANY,
    "tentative",
    "&& this.#ahead.size === 0",
    "",
    "tentative_test.ts",
  ),
  rule(
    "a question gives way to who holds",
    ANY,
    "tentative",
    'rival.state !== "tentative" || !this.#isConfirming && outranks(rival, own)',
    'rival.state === "tentative" && !this.#isConfirming && outranks(rival, own)',
    "listening_test.ts",
  ),
  rule(
    "a question gives way to a higher question",
    ANY,
    "tentative",
    "!this.#isConfirming && outranks(rival, own)",
    "false",
    "tentative_test.ts",
  ),
  rule(
    "who stood still asks anew",
    ANY,
    "tentative",
    "if (stoodStillMs > STOOD_STILL_MS) {",
    "if (false) {",
    "tentative_test.ts",
  ),
  rule(
    "the disk does not remember as held what was lost on the way there",
    ANY,
    "tentative",
    "if (this.#isConfirming) this.#context.own.open();",
    "",
    "tentative_test.ts",
  ),
  rule(
    "a question that is given up is withdrawn",
    ANY,
    "waiting",
    'if (state === "released") return null;',
    'if (state === "released" || state === "tentative") return null;',
    "reclaim_test.ts",
  ),
  rule(
    "a lost subnet is given back by who finds no other",
    ANY,
    "waiting",
    'if (state === "released") return null;',
    'if (state === "released" || state === "yielding") return null;',
    "waiting_test.ts",
  ),
  rule(
    "what was held before a restart with other flags is given back by who has to wait",
    ANY,
    "waiting",
    'if (state === "released") return null;',
    'if (state === "released" || state === "held") return null;',
    "waiting_test.ts",
  ),
  rule(
    "a holder that stood still hears others before it answers old questions",
    ANY,
    "held",
    "if (nowMs - this.#steppedMs > STOOD_STILL_MS) this.#notBeforeMs = nowMs + HEAR_MS;",
    "",
    "held_test.ts",
  ),
  rule(
    "a hold that nobody agreed to is no longer waited for once somebody is there",
    ANY,
    "tentative",
    "if (this.#agreed.size === 0) return lateMs;",
    "",
    "slow_disk_test.ts",
  ),
  rule(
    "who was set back goes above its own later records",
    ANY,
    "identity_rival",
    "own.overtake(foreign.generation);",
    "",
    "held_test.ts",
  ),
  rule(
    "no message changes the own record",
    ANY,
    "intake",
    "this.#meetSelf(sealed);\n      return false;",
    "this.#meetSelf(sealed);",
    "held_test.ts",
  ),
  rule(
    "claims of others are remembered over a restart",
    ANY,
    "claimant",
    "of options.restored?.others ?? []",
    "of []",
    "listening_test.ts",
  ),
  rule(
    "who yields still occupies",
    ANY,
    "record",
    'return record.state !== "released";',
    'return record.state !== "released" && record.state !== "yielding";',
    "absence_test.ts",
  ),
  rule(
    "released subnets rest while others are free",
    ANY,
    "picker",
    "this.#restsUntilMs(subnet) <= nowMs;",
    "true;",
    "forget_test.ts",
  ),
  rule(
    "what lies below the fence is in nobody's way",
    ANY,
    "ledger",
    "return this.overlapping(subnet, except).filter((claim) => this.stands(claim));",
    "return this.overlapping(subnet, except).filter(occupies);",
    "ledger_test.ts",
  ),
  rule(
    "routes stay at equal epoch",
    ANY,
    "ownership",
    "return stays !== 0 ? stays : compareClaims(one, other);",
    "return compareClaims(one, other);",
    "ledger_test.ts",
  ),
];
