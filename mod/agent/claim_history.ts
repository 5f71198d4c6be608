/**
 * The last contests over this host's subnet and the last times that it had to change it, for people who look when the log
 * has long scrolled on. Kept in the state directory, so that a restart does not hide that containers still have addresses of
 * a subnet that another host has. Nothing is decided by it, so what cannot be read or written is done without.
 */
import type { HostEvent } from "../claim/host_core.ts";
import type { Problem } from "../base/problem.ts";
import { replaceFile } from "../host/replace_file.ts";
import { startTimer } from "../host/timer.ts";

/** Kept and shown; who has more has one cause for them. */
const PAST_MAX = 16;
/** So long a change of the subnet is a problem, unless `--on-renumber` moved the containers. */
const NOTICE_MS = 24 * 3_600_000;
/** Bytes: 16 entries of half a kilobyte; anything much longer was not written here. */
const FILE_BYTES_MAX = 64 * 1024;

/** How `--on-renumber` went: `none` was given, or it has not ended yet. */
export type HookOutcome = "none" | "running" | "done" | "failed";

export interface PastConflict {
  readonly kind: "conflict";
  /** RFC 3339, by this host's wall clock. */
  readonly at: string;
  readonly subnet: string;
  /** Names of hosts as they were then known, with the beginning of their ids. */
  readonly winner: string;
  readonly loser: string;
  /** Whether this host won. */
  readonly won: boolean;
  readonly why: string;
}

export interface PastRenumbering {
  readonly kind: "renumbered";
  readonly at: string;
  readonly old: string;
  readonly new: string;
  /** The contest that was lost before; null when there was none, as after a change of `--subnet`. */
  readonly winner: string | null;
  readonly why: string | null;
  readonly hook: HookOutcome;
}

export type Past = PastConflict | PastRenumbering;

export interface ClaimHistoryOptions {
  readonly path: string;
  readonly selfId: string;
  readonly hasHook: () => boolean;
  readonly nameOf: (hostId: string) => string;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

export class ClaimHistory {
  readonly #options: ClaimHistoryOptions;
  /** The oldest first; null until somebody asks or something happens. */
  #known: readonly Past[] | null = null;
  #cancelWrite: (() => void) | null = null;

  constructor(options: ClaimHistoryOptions) {
    this.#options = options;
  }

  /** What is kept, the newest first. */
  list(): readonly Past[] {
    return this.#past().toReversed();
  }

  note(event: HostEvent): void {
    const { selfId, nameOf, hasHook } = this.#options;
    if (event.kind === "conflict") {
      this.#add({
        kind: "conflict",
        at: this.#now(),
        subnet: event.subnet,
        winner: nameOf(event.winner),
        loser: nameOf(event.loser),
        won: event.winner === selfId,
        why: event.why,
      });
    } else if (event.kind === "renumbered") {
      const lost = this.#past().findLast((past) =>
        past.kind === "conflict" && !past.won && past.subnet === event.old
      );
      const conflict = lost?.kind === "conflict" ? lost : null;
      this.#add({
        kind: "renumbered",
        at: this.#now(),
        old: event.old,
        new: event.new,
        winner: conflict?.winner ?? null,
        why: conflict?.why ?? null,
        hook: hasHook() ? "running" : "none",
      });
    }
  }

  /** The operator's command for this change has ended. */
  hookEnded(old: string, now: string, isDone: boolean): void {
    const index = this.#past().findLastIndex((past) =>
      past.kind === "renumbered" && past.old === old && past.new === now
    );
    this.#known = this.#past().map((past, at) =>
      at === index && past.kind === "renumbered"
        ? { ...past, hook: isDone ? "done" as const : "failed" as const }
        : past
    );
    this.#writeSoon();
  }

  /** Changes of the subnet that containers may not have followed. */
  problems(): Problem[] {
    const nowMs = this.#options.wallMs();
    return this.list()
      .filter((past) => past.kind === "renumbered")
      .filter(({ at, hook }) => hook !== "done" && nowMs - Date.parse(at) < NOTICE_MS)
      .map(renumberedProblem);
  }

  /** Writes what is not yet written. */
  close(): void {
    if (this.#cancelWrite === null) return;
    this.#cancelWrite();
    this.#write();
  }

  /** Read when it is first wanted: a start has no time for it. */
  #past(): readonly Past[] {
    // A command that was running when the agent ended may have done anything.
    this.#known ??= read(this.#options.path).map((past) =>
      past.kind === "renumbered" && past.hook === "running" ? { ...past, hook: "failed" } : past
    );
    return this.#known;
  }

  #add(past: Past): void {
    this.#known = [...this.#past(), past].slice(-PAST_MAX);
    this.#writeSoon();
  }

  /** Not in the turn in which the kernel has to follow. */
  #writeSoon(): void {
    this.#cancelWrite ??= startTimer(() => this.#write(), 0);
  }

  #write(): void {
    this.#cancelWrite = null;
    try {
      const text = JSON.stringify(this.#past(), null, 1) + "\n";
      replaceFile(this.#options.path, new TextEncoder().encode(text));
    } catch {
      // The claim itself is written to the same disk, and says so when that fails.
    }
  }

  #now(): string {
    return new Date(this.#options.wallMs()).toISOString();
  }
}

/** When each change began to be shown; it ends a day later, or with a command that went well. */
function renumberedProblem({ at, old, new: now, winner, why, hook }: PastRenumbering): Problem {
  const cause = winner === null ? "" : `; ${winner} has ${old} now: ${why}`;
  const failed = hook === "failed" ? "The --on-renumber command failed, see the log. " : "";
  return {
    code: "renumbered",
    severity: "warning",
    text: `This host changed its subnet from ${old} to ${now} at ${at}${cause}`,
    remedy: `${failed}Restart the containers that still have addresses of ${old}` +
      (hook === "none" ? "; --on-renumber can do so by itself. " : ". ") +
      "This message ends after a day",
  };
}

function read(path: string): Past[] {
  try {
    if (Deno.statSync(path).size > FILE_BYTES_MAX) return [];
    const past: unknown = JSON.parse(Deno.readTextFileSync(path));
    return Array.isArray(past) ? past.filter(isPast).slice(-PAST_MAX) : [];
  } catch {
    return []; // none yet, or not legible
  }
}

function isPast(value: unknown): value is Past {
  if (typeof value !== "object" || value === null) return false;
  const of = (name: string): unknown => Reflect.get(value, name);
  const isText = (name: string) => typeof of(name) === "string";
  const isTextOrNull = (name: string) => isText(name) || of(name) === null;
  if (Number.isNaN(Date.parse(String(of("at"))))) return false;
  if (of("kind") === "conflict") {
    return ["subnet", "winner", "loser", "why"].every(isText) && typeof of("won") === "boolean";
  }
  const hooks: unknown[] = ["none", "running", "done", "failed"] satisfies HookOutcome[];
  return of("kind") === "renumbered" && ["old", "new"].every(isText) &&
    ["winner", "why"].every(isTextOrNull) && hooks.includes(of("hook"));
}
