/**
 * Runs `--on-event CMD` for each event, with the event as one line of JSON on standard input: nothing that came from the
 * network ever stands on a command line. One command at a time; the agent never waits for it, and loses events rather
 * than memory when it is too slow.
 */
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { EventDocument } from "./api.ts";
import type { Companion, Inside } from "./companions.ts";
import { operatorEnvironment } from "./operator_environment.ts";

/** Events that wait for the command: what a cluster of a hundred hosts tells at once when it splits. */
export const HOOK_WAITING_MAX = 256;
/** So long the end of the agent waits for the events that are not told yet, such as `left`. */
const CLOSE_MS_MAX = 400;
/** A command that runs longer is killed. */
const HOOK_RUN_MS_MAX = 30_000;
/** Between two log lines and for how long the status tells that events were lost. */
const DROPPED_SAID_MS = 60_000;
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

/** Opens it on the agent's feed; what happened already is told first. */
export function openEventHook(command: string, { log, target }: Inside): Companion {
  const hook = new EventHook({ command, log, nowMs: () => performance.now(), run: runHook });
  for (const event of target.events.recent()) hook.take(event);
  const forget = target.events.listen({ event: (event) => hook.take(event), ended() {} });
  return {
    problems: () => hook.problems(),
    async close() {
      forget();
      await hook.close();
    },
  };
}

export class EventHook {
  readonly #options: EventHookOptions;
  readonly #end = new AbortController();
  #waiting: EventDocument[] = [];
  #running: Promise<void> | null = null;
  #dropped = 0;
  #droppedAtMs = -Infinity;
  #saidAtMs = -Infinity;

  constructor(options: EventHookOptions) {
    this.#options = options;
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
  try {
    const [{ code }, said] = await Promise.all([
      child.status,
      tail(child.stderr),
      give(child.stdin, input),
    ]);
    return { code, said, timedOut };
  } finally {
    clearTimeout(timer);
    end.removeEventListener("abort", kill);
  }
}

/** A command need not read its input. */
async function give(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // It ended, or closed it.
  }
}

/** The end of what it said, without keeping the rest. */
async function tail(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
    said = (said + text).slice(-SAID_CHARACTERS_MAX);
  }
  return said.trim();
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
