/**
 * Runs `--on-event CMD` for each event, with the event as one line of JSON on standard input: nothing that came from the
 * network ever stands on a command line. One command at a time; the agent never waits for it, and loses events rather
 * than memory when it is too slow.
 */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { EventDocument } from "./api.ts";
import type { Companion, Inside, Occasion } from "./companions.ts";
import type { EventFeed } from "./event_feed.ts";
import { operatorEnvironment } from "./operator_environment.ts";

/** Events that wait for the command: what a cluster of a hundred hosts tells at once when it splits. */
export const HOOK_WAITING_MAX = 256;
/** So long the end of the agent waits for the events that are not told yet, such as `left`. */
const CLOSE_MS_MAX = 400;
/** A command that runs longer is killed. */
const HOOK_RUN_MS_MAX = 30_000;
/** Between two log lines and for how long the status tells that events were lost. */
const DROPPED_SAID_MS = 60_000;
/** After the command's end, so long is waited for the rest of what it said: what it left running may hold the pipe for good. */
const SAID_LATE_MS_MAX = 200;
/** Characters of standard error that the log repeats. */
const SAID_CHARACTERS_MAX = 500;

/** How one run of the command went. */
export interface HookEnd {
  readonly code: number;
  readonly said: string;
  readonly timedOut: boolean;
}

export interface EventHookOptions {
  readonly command: string;
  readonly log: Log;
  readonly nowMs: () => number;
  /** Runs the command with that on its standard input; aborted, it is killed. Rejects when it cannot be started. */
  readonly run: (command: string, input: string, end: AbortSignal) => Promise<HookEnd>;
}

/** Opens it on the agent's feed; see {@linkcode firstOf} for where it begins. */
export function openEventHook(
  command: string,
  inside: Pick<Inside, "log" | "target">,
  occasion: Occasion,
): Companion {
  return new EventHookCompanion(command, inside, occasion);
}

class EventHookCompanion implements Companion {
  readonly #hook: EventHook;
  readonly #forget: () => void;
  readonly #first: number;

  constructor(command: string, { log, target }: Pick<Inside, "log" | "target">, why: Occasion) {
    const { events } = target;
    this.#hook = new EventHook({ command, log, nowMs: () => performance.now(), run: runHook });
    this.#first = firstOf(events, why);
    for (const event of events.recent()) {
      if (event.sequence >= this.#first) this.#hook.take(event);
    }
    this.#forget = events.listen({ event: (event) => this.#hook.take(event), ended() {} });
  }

  /** Sequence of the first event that no command was given. */
  get next(): number {
    return this.#hook.lastGiven === null ? this.#first : this.#hook.lastGiven + 1;
  }

  problems(): Problem[] {
    return this.#hook.problems();
  }

  async close(): Promise<void> {
    this.#forget();
    await this.#hook.close();
  }
}

/**
 * Sequence of the first event that a command is given. At the agent's start what happened already is told; a command in another's
 * place goes on where that ended, and one that comes with a reload is not told what is long past.
 */
function firstOf(events: EventFeed, { isReload, before }: Occasion): number {
  if (before instanceof EventHookCompanion) return before.next;
  return isReload ? (events.recent().at(-1)?.sequence ?? 0) + 1 : 1;
}

export class EventHook {
  readonly #options: EventHookOptions;
  readonly #end = new AbortController();
  #waiting: EventDocument[] = [];
  #running: Promise<void> | null = null;
  #lastGiven: number | null = null;
  #dropped = 0;
  #droppedAtMs = -Infinity;
  #saidAtMs = -Infinity;

  constructor(options: EventHookOptions) {
    this.#options = options;
  }

  /** Sequence of the last event that the command was started for. */
  get lastGiven(): number | null {
    return this.#lastGiven;
  }

  /** Returns at once. */
  take(event: EventDocument): void {
    if (this.#end.signal.aborted) return;
    if (this.#waiting.length >= HOOK_WAITING_MAX) return this.#drop();
    this.#waiting.push(event);
    this.#running ??= this.#runAll();
  }

  problems(): Problem[] {
    if (this.#options.nowMs() - this.#droppedAtMs >= DROPPED_SAID_MS) return [];
    return [{
      code: "event-hook-slow",
      severity: "warning",
      text: `${this.#dropped} events were not given to the command of --on-event, which takes ` +
        "longer than they come",
      remedy: "Let it hand its work to something else and end, or follow gossamer monitor --json",
    }];
  }

  /** What does not end soon is killed, and what waits then is given up. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS_MAX);
    });
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
    this.#waiting = [];
    this.#end.abort();
  }

  /** Never rejects. */
  async #runAll(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      await this.#run(event);
    }
    this.#running = null;
  }

  async #run(event: EventDocument): Promise<void> {
    const { command, log, run } = this.#options;
    const fields = { command, event: event.event, sequence: event.sequence };
    this.#lastGiven = event.sequence;
    try {
      const input = `${JSON.stringify(event)}\n`;
      const { code, said, timedOut } = await run(command, input, this.#end.signal);
      if (this.#end.signal.aborted) return;
      if (timedOut) {
        log.warning("the event command was killed: it took too long", {
          ...fields,
          afterMs: HOOK_RUN_MS_MAX,
        });
      } else if (code !== 0) log.warning("the event command failed", { ...fields, code, said });
    } catch (error) {
      log.error("the event command could not be started", { ...fields, reason: reasonOf(error) });
    }
  }

  #drop(): void {
    const { log, nowMs, command } = this.#options;
    this.#dropped++;
    this.#droppedAtMs = nowMs();
    if (this.#droppedAtMs - this.#saidAtMs < DROPPED_SAID_MS) return;
    this.#saidAtMs = this.#droppedAtMs;
    log.warning("the event command is too slow: events are left out", {
      command,
      dropped: this.#dropped,
    });
  }
}

/** Runs the operator's command through the shell, as it was written. Rejects when there is no shell. */
export async function runHook(command: string, input: string, end: AbortSignal): Promise<HookEnd> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", command],
    clearEnv: true,
    env: operatorEnvironment(),
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
    // A group of its own, so that what the command started ends with it.
    detached: true,
  }).spawn();
  let timedOut = false;
  const kill = () => killGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, HOOK_RUN_MS_MAX);
  end.addEventListener("abort", kill, { once: true });
  const stderr = tailOf(child.stderr);
  const given = give(child.stdin, input);
  try {
    const { code } = await child.status;
    await given.stop();
    return { code, said: await stderr.end(), timedOut };
  } finally {
    clearTimeout(timer);
    end.removeEventListener("abort", kill);
  }
}

/** A command need not read its input; once it has ended, nobody else is given the rest. */
function give(stdin: WritableStream<Uint8Array>, input: string): { stop(): Promise<void> } {
  const writer = stdin.getWriter();
  // It ended, or closed it.
  writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  return { stop: () => writer.abort().catch(() => {}) };
}

/** Keeps the end of what it says, without the rest, until it is asked for. */
function tailOf(stderr: ReadableStream<Uint8Array>): { end(): Promise<string> } {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  const all = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      said = (said + part.value).slice(-SAID_CHARACTERS_MAX);
    }
  })().catch(() => {});
  return {
    async end() {
      const timer = setTimeout(() => void reader.cancel().catch(() => {}), SAID_LATE_MS_MAX);
      await all;
      clearTimeout(timer);
      return said.trim();
    },
  };
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
