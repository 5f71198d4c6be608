/**
 * Tells of what the cores have no events for: readiness, peers in the kernel, repairs, problems. Compares with what it saw
 * before whenever the agent has taken something in, so an idle agent is not woken for it.
 */
import { reasonOf } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import type { Companion, Inside } from "./companions.ts";
import type { PathKind } from "../overlay/path.ts";
import type { EventBody } from "./api.ts";
import { eventMember } from "./event_bodies.ts";
import type { EventFeed } from "./event_feed.ts";
import type { OverlayStatus } from "./overlay_keeper.ts";
import { whyNotReady } from "./readiness.ts";

/**
 * Between two looks at the overlay, and at the problems, of which some are looked up on the disk: while something happens, and
 * otherwise. Four looks a second would cost an idle agent a fifth of all it does (docs/adr/0043).
 */
const BUSY = { lookMs: 250, problemsMs: 1_000 };
const QUIET = { lookMs: 2_000, problemsMs: 5_000 };
/** What an event set going is over by then. */
const BUSY_MS = 3_000;

type WatchedParts = Pick<Inside, "log" | "snapshot" | "overlay" | "problems" | "target">;

interface Seen {
  readonly isReady: boolean;
  readonly paths: OverlayStatus["paths"];
  readonly deadPeers: OverlayStatus["deadPeers"];
  readonly repairs: number;
  /** What is known of peers by their ids: who is forgotten has no name left when its peer goes. */
  readonly names: ReadonlyMap<string, NonNullable<EventBody["member"]>>;
}

export class EventWatch implements Companion {
  readonly #inside: WatchedParts;
  readonly #nowMs: () => number;
  readonly #feed: EventFeed;
  #seen: Seen | null = null;
  #problems: ReadonlyMap<string, Problem> = new Map();
  #busyUntilMs = -Infinity;
  #fault: string | null = null;
  #lookedAtMs = -Infinity;
  #problemsLookedAtMs = -Infinity;

  constructor(
    inside: WatchedParts,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#inside = inside;
    this.#nowMs = nowMs;
    this.#feed = inside.target.events;
    this.event(); // the start is one
  }

  event(): void {
    this.#busyUntilMs = this.#nowMs() + BUSY_MS;
  }

  settled(): void {
    const nowMs = this.#nowMs();
    const { lookMs, problemsMs } = nowMs < this.#busyUntilMs ? BUSY : QUIET;
    if (nowMs - this.#lookedAtMs >= lookMs) {
      this.#lookedAtMs = nowMs;
      this.#try(() => this.#look());
    }
    if (nowMs - this.#problemsLookedAtMs >= problemsMs) {
      this.#problemsLookedAtMs = nowMs;
      this.#try(() => this.#lookAtProblems());
    }
  }

  close(): void {
    this.#feed.close();
  }

  /** A fault of what is looked at must not end the events of the others. Said once for each text. */
  #try(look: () => void): void {
    try {
      look();
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.#fault) {
        this.#inside.log.error("events could not be looked for", { reason });
      }
      this.#fault = reason;
    }
  }

  #look(): void {
    const snapshot = this.#inside.snapshot();
    const overlay = this.#inside.overlay();
    const reason = whyNotReady(snapshot, overlay);
    const { paths, deadPeers, repairs } = overlay;
    const before = this.#seen ?? NOTHING;
    const isOther = before.paths.size !== paths.size ||
      [...paths].some(([id, path]) => before.paths.get(id) !== path);
    const names = isOther || deadPeers.size > 0
      ? new Map(snapshot.swim.members.map((member) => [member.id, eventMember(member)]))
      : before.names;
    const isReady = reason === null;
    this.#seen = { isReady, paths, deadPeers: new Map(deadPeers), repairs, names };
    if (isOther) {
      for (const [id, path] of paths) {
        if (before.paths.get(id) !== path) this.#peerAdded(id, path);
      }
      for (const id of before.paths.keys()) {
        if (!paths.has(id)) this.#peerRemoved(id, before);
      }
    }
    for (const [id, kernel] of deadPeers) {
      if (before.deadPeers.get(id) !== kernel) this.#peerKernel(id, kernel);
    }
    if (repairs > before.repairs) this.#repaired(repairs - before.repairs);
    if (reason === null && !before.isReady) {
      this.#add({ event: "ready", severity: "info", text: "Ready: containers may be started" });
    } else if (reason !== null && before.isReady) {
      const text = `Not ready: ${reason}`;
      this.#add({ event: "not-ready", severity: "warning", text, reason });
    }
  }

  #peerAdded(id: string, path: PathKind): void {
    const { claim } = this.#inside.snapshot();
    const subnet = claim.records.find(({ hostId }) => hostId === id)?.subnet ?? null;
    const { name, member } = this.#named(id, this.#seen ?? NOTHING);
    const text = `${subnet ?? "A subnet"} is reached through ${name} (${path})`;
    this.#add({ event: "peer-added", severity: "info", text, ...member, subnet, path });
  }

  #peerRemoved(id: string, before: Seen): void {
    const { name, member } = this.#named(id, before);
    const text = `No packets are sent to ${name} any more`;
    this.#add({ event: "peer-removed", severity: "info", text, ...member });
  }

  #peerKernel(id: string, kernel: "answers" | "checking" | "silent"): void {
    if (kernel === "checking") return;
    const { name, member } = this.#named(id, this.#seen ?? NOTHING);
    const [says, severity] = kernel === "answers"
      ? ["the agent is down, the overlay is up", "warning" as const]
      : ["neither agent nor overlay answers", "error" as const];
    this.#add({ event: "peer-kernel", severity, text: `${name}: ${says}`, ...member, kernel });
  }

  #repaired(count: number): void {
    const text = `${count} ${count === 1 ? "object" : "objects"} of the overlay put back after ` +
      "somebody else removed or changed them";
    this.#add({ event: "overlay-repaired", severity: "warning", text, count });
  }

  #lookAtProblems(): void {
    const problems = new Map(
      this.#inside.problems().map((problem) => [
        `${problem.code} ${stable(problem.text)}`,
        problem,
      ]),
    );
    for (const [key, problem] of problems) {
      if (!this.#problems.has(key)) this.#problem("problem-raised", problem, problem.severity);
    }
    for (const [key, problem] of this.#problems) {
      if (!problems.has(key)) this.#problem("problem-cleared", problem, "info");
    }
    this.#problems = problems;
  }

  #problem(
    event: "problem-raised" | "problem-cleared",
    { code, text: what, remedy }: Problem,
    severity: EventBody["severity"],
  ): void {
    const text = event === "problem-raised" ? what : `No longer: ${what}`;
    this.#add({ event, severity, text, code, remedy });
  }

  #named(id: string, seen: Seen): { name: string; member: Pick<EventBody, "member"> } {
    const member = seen.names.get(id);
    return member === undefined
      ? { name: `host ${id.slice(0, 8)}`, member: {} }
      : { name: member.name, member: { member } };
  }

  #add(body: EventBody): void {
    this.#feed.add(body);
  }
}

const NOTHING: Seen = {
  isReady: false,
  paths: new Map(),
  deadPeers: new Map(),
  repairs: 0,
  names: new Map(),
};

/** Numbers change while a problem stays the same: `14 times within 3 min`. */
function stable(text: string): string {
  return text.replace(/\b\d+\b(?![.:/])/g, "#");
}
