/** What must hold for the tables of members: who may change what, in which order, and what is told of it. */
import type { SwimEvent } from "../swim/event.ts";
import type { Member, MemberEvent, MemberId, MemberStatus } from "../swim/member.ts";
import type { Message } from "../wire/messages.ts";
import type { SyncEntry } from "../wire/sync_messages.ts";
import type { MemberHost } from "./membership_cluster.ts";
import { readFrame } from "./packet_reader.ts";
import { type Change, type ObservedStep, ROUNDING_MS } from "./observed_step.ts";

/** The order of belief at equal incarnation, as the protocol has it; written anew here on purpose. */
const RANK: Readonly<Record<MemberStatus, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/** What each event says that a member was, and is now; `unknown` before it was met. */
const EVENTS: Readonly<
  Partial<
    Record<SwimEvent["kind"], {
      from: readonly (MemberStatus | "unknown")[];
      to: MemberStatus;
    }>
  >
> = {
  "member-joined": { from: ["unknown", "left"], to: "alive" },
  // Who left may have come back unnoticed before it failed.
  "member-suspected": { from: ["alive", "left"], to: "suspect" },
  "member-recovered": { from: ["suspect", "dead"], to: "alive" },
  "member-failed": { from: ["alive", "suspect", "left"], to: "dead" },
  "member-left": { from: ["alive", "suspect", "dead"], to: "left" },
};

export class TableRules {
  /** The highest incarnation that each host ever gave itself. */
  readonly #owned = new Map<MemberId, number>();
  /** Instances that each host has had, with what it said of itself in each. */
  readonly #lives = new Map<MemberId, Set<string>>();
  readonly #hostOf: (id: MemberId) => MemberHost | undefined;

  constructor(hostOf: (id: MemberId) => MemberHost | undefined) {
    this.#hostOf = hostOf;
  }

  check(step: ObservedStep): void {
    const { self } = step.snapshot;
    this.#noteSelf(self);
    const isFine = self.status === "alive" || self.status === "left";
    step.expect(isFine, "own-status", () => `believes itself ${self.status}`);
    for (const change of step.changes) this.#checkChange(step, change);
    this.#checkEvents(step);
    this.#checkSync(step);
  }

  /** What a sync brings is taken over: nobody stays below what a peer has told. */
  #checkSync(step: ObservedStep): void {
    const { frame } = step;
    if (frame === null || !("sender" in frame) || frame.sender.record.id === step.selfId) return;
    const isRefused = step.actions.some((action) =>
      action.kind === "answer" && readFrame(action.bytes) === null
    );
    if (isRefused || step.snapshot.self.status === "left") return;
    for (const { record, status } of [frame.sender, ...entriesOf(frame)]) {
      if (record.id === step.selfId || status === "left") continue;
      const after = step.after(record.id);
      const isTaken = after !== undefined && after.incarnation >= record.incarnation &&
        (status === "alive" || after.status !== "alive" || after.incarnation > record.incarnation);
      step.expect(
        isTaken,
        "sync-merges",
        () =>
          `was told of ${record.name} ${status}@${record.incarnation} and believes ${
            after === undefined ? "nothing" : say(after)
          }`,
      );
    }
  }

  #noteSelf(self: Member): void {
    this.#owned.set(self.id, Math.max(self.incarnation, this.#owned.get(self.id) ?? 0));
    const lives = this.#lives.get(self.id) ?? new Set();
    lives.add(self.instance);
    this.#lives.set(self.id, lives);
  }

  #checkChange(step: ObservedStep, { before, after }: Change): void {
    if (after === undefined) return;
    // In a cluster that begins formed, others know a host before it has made a step.
    const host = this.#owned.has(after.id) ? undefined : this.#hostOf(after.id);
    if (host?.isRunning === true) this.#noteSelf(host.snapshot().self);
    const owned = this.#owned.get(after.id);
    step.expect(
      owned !== undefined && after.incarnation <= owned,
      "one-writer",
      () => `knows ${say(after)}, whose own incarnation never was above ${owned ?? "none"}`,
    );
    step.expect(
      this.#lives.get(after.id)?.has(after.instance) === true,
      "one-writer",
      () => `knows ${say(after)} with an instance that it never had, ${after.instance}`,
    );
    this.#checkSince(step, after, before);
    if (before === undefined) return;
    const rise = (after.incarnation - before.incarnation) ||
      (RANK[after.status] - RANK[before.status]);
    step.expect(
      after.incarnation >= before.incarnation && rise >= 0,
      "news-go-back",
      () => `knew ${say(before)} and now believes ${say(after)}`,
    );
    step.expect(
      after.instance === before.instance || after.incarnation > before.incarnation,
      "news-go-back",
      () => `took another instance of ${say(before)} without a higher incarnation`,
    );
  }

  #checkSince(step: ObservedStep, after: Member, before: Member | undefined): void {
    // This host itself is alive since its start, whenever that was.
    if (after.id === step.selfId && before?.status !== "left" && after.status !== "left") return;
    const wanted = before?.status === after.status ? before.statusSinceMs : step.localMs;
    step.expect(
      Math.abs(after.statusSinceMs - wanted) < ROUNDING_MS,
      "status-since",
      () => `says ${say(after)} since ${after.statusSinceMs}, not since ${wanted}`,
    );
  }

  /** Each change of a status is told by one event, and nothing else is. */
  #checkEvents(step: ObservedStep): void {
    const told = new Map<MemberId, MemberEvent[]>();
    for (const action of step.actions) {
      if (action.kind !== "event" || !("member" in action.event)) continue;
      const events = told.get(action.event.member.id) ?? [];
      events.push(action.event);
      told.set(action.event.member.id, events);
    }
    for (const { id, before, after } of step.changes) {
      if (id === step.selfId && before === undefined) continue;
      const events = told.get(id) ?? [];
      told.delete(id);
      // Passed on quickly: a change that nobody needs to hear of, such as an incarnation.
      if (events.length === 0 && before?.status === after?.status) continue;
      checkChain(step, before, after, events);
    }
    for (const [id, events] of told) {
      const member = step.after(id);
      checkChain(step, member, member, events);
    }
  }
}

/** The members of which a message of a sync tells, besides its sender. */
function entriesOf(message: Message): readonly SyncEntry[] {
  switch (message.kind) {
    case "compared":
      return message.members.kind === "everything" ? message.members.entries : [];
    case "update":
    case "updated":
      return message.entries;
    default:
      return [];
  }
}

function checkChain(
  step: ObservedStep,
  before: Member | undefined,
  after: Member | undefined,
  events: readonly MemberEvent[],
): void {
  let status: MemberStatus | "unknown" = before?.status ?? "unknown";
  const words = events.map(({ kind }) => kind).join(", ");
  const about = () =>
    `${before?.status ?? "unknown"} > ${after?.status ?? "forgotten"} of ` +
    `${nameOf(after ?? before)}, told as: ${words === "" ? "nothing" : words}`;
  for (const { kind } of events) {
    const rule = EVENTS[kind];
    if (rule === undefined) continue; // an update tells of something else
    // Who is met as dead or left is not told: it was never here as far as we know.
    const isMetGone = status === "unknown" && !rule.from.includes("unknown");
    step.expect(rule.from.includes(status) || isMetGone, "one-event-a-change", about);
    status = rule.to;
  }
  const isMetGone = status === "unknown" && (after?.status === "dead" || after?.status === "left");
  step.expect(
    after === undefined || status === after.status || isMetGone,
    "one-event-a-change",
    about,
  );
}

/** `h3 alive@4` */
export function say(member: Member): string {
  return `${member.name} ${member.status}@${member.incarnation}`;
}

function nameOf(member: Member | undefined): string {
  return member?.name ?? "a host";
}
