/**
 * An operation on the gossip keys of the whole cluster, from this host: done here, asked of every known host over a stream,
 * and summed up. Before a key is used or removed everybody is asked what they have, so that nobody is cut off by mistake.
 *
 * Dead members count: they come back with the keys that they had. So do those who left for a while.
 */
import type { Endpoint } from "../base/core.ts";
import { KEY_BYTES } from "../wire/aead.ts";
import { encodeKeysRequest, type KeyOperation } from "../wire/key_messages.ts";
import { FINGERPRINT_BYTES, type Keyring } from "../wire/keyring.ts";
import type { KeyCount, KeyHolder, KeyOutcome } from "./key_outcome.ts";
import type { MemberId, MemberStatus } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { OwnKeys } from "./own_keys.ts";
import type { Post } from "./post.ts";
import type { RememberedMember } from "./reconnector.ts";
import type { Outcome, Requests } from "./requests.ts";
import type { Self } from "./self.ts";
import type { SwimTimings } from "./timings.ts";

/** Streams under way at a time: 5,000 hosts are asked in a second on a network of some milliseconds. */
const STREAMS_MAX = 16;

/** Hosts that a refusal names; the others are counted. */
const NAMED_MAX = 5;

/** The command, as `SwimCommand` has it. */
export interface KeysCommand {
  readonly request: number;
  readonly operation: KeyOperation;
  readonly force: boolean;
  readonly awaited?: readonly MemberId[];
}

type Change = Exclude<KeyOperation, { kind: "list" }>;

/** Whom to ask. */
interface Host {
  readonly id: MemberId;
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly status: MemberStatus | null;
}

export class KeyRotation {
  readonly #keys: Keyring | null;
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #missing: () => readonly RememberedMember[];
  readonly #timings: SwimTimings;
  readonly #requests: Requests;
  readonly #ownKeys: OwnKeys;
  readonly #post: Post;
  #isUnderWay = false;

  constructor(parts: {
    keys: Keyring | null;
    self: Self;
    table: MemberTable;
    /** Members remembered from before a restart that were not met since. */
    missing: () => readonly RememberedMember[];
    timings: SwimTimings;
    requests: Requests;
    ownKeys: OwnKeys;
    post: Post;
  }) {
    this.#keys = parts.keys;
    this.#self = parts.self;
    this.#table = parts.table;
    this.#missing = parts.missing;
    this.#timings = parts.timings;
    this.#requests = parts.requests;
    this.#ownKeys = parts.ownKeys;
    this.#post = parts.post;
  }

  /** Ends in a `keys-done` event. */
  start(command: KeysCommand): void {
    const { operation } = command;
    const refusal = this.#check(operation);
    if (refusal !== null) return this.#refuse(command, refusal.text, refusal.remedy, []);
    this.#isUnderWay = true;
    const finish = (hosts: readonly KeyHolder[]) => this.#finish(command, summary(hosts, null));
    switch (operation.kind) {
      case "list":
        return this.#survey(command, [], finish);
      case "install":
        return this.#carryOut(command, operation, this.#others(command));
      case "use":
      case "remove":
        return this.#survey(command, [], (hosts) => {
          const refusal = command.force ? null : objection(operation, hosts);
          if (refusal === null) return this.#carryOut(command, operation, hosts.slice(1));
          this.#refuse(command, refusal.text, refusal.remedy, hosts);
        });
    }
  }

  #check(operation: KeyOperation): KeyOutcome["refusal"] {
    if (this.#keys === null) {
      return {
        text: "This host has no gossip keys: gossip is plain",
        remedy: "Give each host the same key file with --key-file",
      };
    }
    if (this.#isUnderWay) {
      return {
        text: "Another operation on the keys is under way on this host",
        remedy: "Wait for its end; a host that does not answer delays it by some seconds",
      };
    }
    if (operation.kind === "install" && operation.key.length !== KEY_BYTES) {
      return {
        text: `A key has ${KEY_BYTES} bytes, not ${operation.key.length}`,
        remedy: "Make one with gossamer keys generate",
      };
    }
    if ("fingerprint" in operation && !isFingerprint(operation.fingerprint)) {
      return {
        text: "That is not a key's fingerprint",
        remedy: `Give the ${2 * FINGERPRINT_BYTES} hexadecimal digits that the list of keys shows`,
      };
    }
    return null;
  }

  /** Asks everybody what they have; also who appears meanwhile, since they may have other keys. */
  #survey(
    command: KeysCommand,
    before: readonly KeyHolder[],
    done: (hosts: readonly KeyHolder[]) => void,
  ): void {
    const asked = new Set(before.map(({ id }) => id));
    const newcomers = this.#others(command).filter(({ id }) => !asked.has(id));
    if (before.length > 0 && newcomers.length === 0) return done(before);
    const known = before.length > 0 ? before : [this.#own(null)];
    this.#ask({ kind: "list" }, newcomers, (hosts) => {
      this.#survey(command, [...known, ...hosts], done);
    });
  }

  #carryOut(command: KeysCommand, change: Change, others: readonly Host[]): void {
    this.#ownKeys.change(change, (_fingerprints, failure) => {
      const own = this.#own(failure);
      if (failure !== null) {
        const text = `This host refused, so no other was asked: ${failure}`;
        return this.#refuse(command, text, "See to that first, then do it again", [own]);
      }
      this.#ask(change, others, (hosts) => {
        this.#finish(command, summary([this.#own(null), ...hosts], null));
      });
    });
  }

  /** Asks these hosts, some at a time; `done` gets them in the same order. */
  #ask(
    operation: KeyOperation,
    hosts: readonly Host[],
    done: (hosts: readonly KeyHolder[]) => void,
  ): void {
    if (hosts.length === 0) return done([]);
    const answers: KeyHolder[] = [];
    let next = 0;
    let missing = hosts.length;
    const askNext = () => {
      const index = next++;
      const host = hosts[index];
      if (host === undefined) return;
      const handler = (_nowMs: number, outcome: Outcome) => {
        answers[index] = { ...pickHost(host), ...readAnswer(host, outcome) };
        if (--missing === 0) return done(answers);
        askNext();
      };
      const message = encodeKeysRequest(host.id, operation);
      const timeoutMs = this.#timings.streamTimeoutMs;
      this.#requests.ask(host.endpoint, message, timeoutMs, handler, { isSecret: true });
    };
    for (let stream = 0; stream < STREAMS_MAX; stream++) askNext();
  }

  /** Everybody who may come back. Who left comes back as a newcomer does, unless it is expected. */
  #others({ awaited = [] }: KeysCommand): Host[] {
    const members: Host[] = this.#table.list()
      .filter(({ id, status }) =>
        id !== this.#self.id && (status !== "left" || awaited.includes(id))
      );
    const known = new Set(members.map(({ id }) => id));
    const missing = this.#missing()
      .filter(({ id }) => !known.has(id) && this.#table.get(id) === undefined)
      .map((member) => ({ ...member, status: null }));
    return [...members, ...missing]
      .map(pickHost)
      .sort((one, other) => one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
  }

  #own(failure: string | null): KeyHolder {
    const fingerprints = this.#ownKeys.fingerprints;
    return { ...pickHost(this.#self.member), fingerprints, failure };
  }

  #refuse(command: KeysCommand, text: string, remedy: string, hosts: readonly KeyHolder[]): void {
    // What is refused because another operation is under way does not end that one.
    const wasStarted = hosts.length > 0;
    const outcome = summary(hosts, { text, remedy });
    if (wasStarted) return this.#finish(command, outcome);
    this.#post.event({ kind: "keys-done", request: command.request, outcome });
  }

  #finish(command: KeysCommand, outcome: KeyOutcome): void {
    this.#isUnderWay = false;
    this.#post.event({ kind: "keys-done", request: command.request, outcome });
  }
}

function pickHost({ id, name, endpoint, status }: Host): Host {
  return { id, name, endpoint, status };
}

function isFingerprint(text: string): boolean {
  return text.length === 2 * FINGERPRINT_BYTES && /^[0-9a-f]+$/.test(text);
}

function readAnswer(
  { status }: Host,
  outcome: Outcome,
): Pick<KeyHolder, "fingerprints" | "failure"> {
  if (outcome.kind === "failed") {
    const failure = status === "left" ? `it left for a while; ${outcome.reason}` : outcome.reason;
    return { fingerprints: null, failure };
  }
  const { message } = outcome;
  if (message.kind === "keys-answer") return message;
  return { fingerprints: null, failure: "its answer is not about keys" };
}

/** Whom the change would cut off; null when nobody. */
function objection(
  operation: Extract<Change, { fingerprint: string }>,
  hosts: readonly KeyHolder[],
): KeyOutcome["refusal"] {
  const { kind, fingerprint } = operation;
  const isKnown = hosts.some(({ fingerprints }) => fingerprints?.includes(fingerprint) === true);
  if (kind === "use" && !isKnown) {
    return {
      text: `No host has the key ${fingerprint}`,
      remedy: "Take the fingerprint from the list of keys, or install the key first",
    };
  }
  const reasons: string[] = [];
  for (const { name, fingerprints, failure } of hosts) {
    if (fingerprints === null) reasons.push(`${name} (${failure ?? "no answer"})`);
    else if (kind === "use" && !fingerprints.includes(fingerprint)) {
      reasons.push(`${name} (does not have it)`);
    } else if (kind === "remove" && fingerprints[0] === fingerprint) {
      reasons.push(`${name} (seals with it)`);
    }
  }
  if (reasons.length === 0) return null;
  const rest = reasons.length - NAMED_MAX;
  const named = reasons.slice(0, NAMED_MAX).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
  return {
    text: `${kind === "use" ? "Using" : "Removing"} key ${fingerprint} would cut off ${named}`,
    remedy: remedyFor(kind, hosts, reasons.length),
  };
}

/** Something else helps with hosts that do not answer than with those that do. */
function remedyFor(kind: "use" | "remove", hosts: readonly KeyHolder[], inTheWay: number): string {
  const silent = hosts.filter(({ fingerprints }) => fingerprints === null).length;
  const prepare = kind === "use"
    ? "Install the key on every host first"
    : "Have every host use another key first";
  if (silent === 0) return prepare;
  const wait =
    "tart the hosts that do not answer, forget those that will not come back, or give --force";
  return silent === inTheWay ? `S${wait}` : `${prepare}; s${wait}`;
}

function summary(hosts: readonly KeyHolder[], refusal: KeyOutcome["refusal"]): KeyOutcome {
  const isComplete = refusal === null && hosts.every(({ failure }) => failure === null);
  return { isComplete, refusal, hosts, keys: count(hosts) };
}

function count(hosts: readonly KeyHolder[]): KeyCount[] {
  const counts = new Map<string, { fingerprint: string; holders: number; primaries: number }>();
  for (const { fingerprints } of hosts) {
    for (const [index, fingerprint] of (fingerprints ?? []).entries()) {
      const counted = counts.get(fingerprint) ?? { fingerprint, holders: 0, primaries: 0 };
      counted.holders++;
      if (index === 0) counted.primaries++;
      counts.set(fingerprint, counted);
    }
  }
  return [...counts.values()].sort((one, other) =>
    other.primaries - one.primaries || other.holders - one.holders ||
    (one.fingerprint < other.fingerprint ? -1 : 1)
  );
}
