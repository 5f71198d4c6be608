/** A run in words: each step a line, for people who look for what went wrong. */
import type { Action, Input } from "../base/core.ts";
import { reasonOf } from "../base/errors.ts";
import type { HostCommand, HostEvent } from "../claim/host_core.ts";
import type { SwimCommand } from "../swim/swim.ts";
import type { Message } from "../wire/messages.ts";
import { type Fault } from "./fault.ts";
import { formatFault } from "./fault_text.ts";
import { sayClaimEvent, sayClaimMessage } from "./claim_words.ts";
import { readFrame, readPacket } from "./packet_reader.ts";
import type { ObservedHost, RunObserver, RunView } from "./run_observer.ts";

/** Lines kept unless said: enough for the last seconds of twenty hosts. */
const LINES_MAX = 400;

/** Keeps the last lines of a run; give it to a run as its observer. */
export class Story implements RunObserver {
  readonly #lines: (() => string)[] = [];
  readonly #linesMax: number;
  readonly #about: ReadonlySet<string> | null;
  /** Names by id: ids of whole hosts are hashes. */
  readonly #names = new Map<string, string>();
  #view: RunView | null = null;

  /** @param about only these hosts; all when null. */
  constructor(linesMax = LINES_MAX, about: readonly string[] | null = null) {
    this.#linesMax = linesMax;
    this.#about = about === null ? null : new Set(about);
  }

  lines(): string[] {
    return this.#lines.map((line) => line());
  }

  attach(view: RunView): void {
    this.#view = view;
  }

  step(
    host: ObservedHost,
    nowMs: number,
    input: Input<SwimCommand | HostCommand>,
    actions: readonly Action<HostEvent>[],
  ): void {
    if (input.kind === "wake" && actions.length === 0) return;
    if (this.#about !== null && !this.#about.has(host.name)) return;
    // Written down only if anybody asks: most lines fall out again.
    const view = this.#view;
    const swimScore = view === null || !host.isRunning ? 0 : view.swim(host).healthScore;
    if (view !== null) this.#names.set(view.idOf(host), host.name);
    const name = (id: string) => this.#names.get(id) ?? short(id);
    this.#push(() => {
      const did = actions.map((action) => sayAction(action, name)).filter((text) => text !== "");
      const health = swimScore === 0 ? "" : ` (health ${swimScore})`;
      const what = did.length === 0 ? "" : `  =>  ${did.join("; ")}`;
      return `${nowMs.toFixed(1).padStart(10)} ${host.name.padEnd(4)}${health} ${
        sayInput(input, name)
      }${what}`;
    });
  }

  fault(nowMs: number, fault: Fault, hasHappened: boolean): void {
    const more = hasHappened ? "" : " (without effect)";
    this.#push(() => `${nowMs.toFixed(1).padStart(10)} ---- ${formatFault(fault)}${more}`);
  }

  #push(line: () => string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#linesMax) this.#lines.shift();
  }
}

/** How a host is called in a story. */
type Name = (id: string) => string;

function sayInput(input: Input<SwimCommand | HostCommand>, name: Name): string {
  const say = (read: () => readonly Message[]) => readable(read, name);
  switch (input.kind) {
    case "packet":
      return `from ${shortEndpoint(input.from)}: ${say(() => readPacket(input.bytes))}`;
    case "request":
      return `asked by ${shortEndpoint(input.from)}: ${say(() => frame(input.bytes))}`;
    case "answer":
      return `answered ${input.id}: ${say(() => frame(input.bytes))}`;
    case "failed":
      return `unanswered ${input.id}: ${input.reason}`;
    case "command":
      return `told to ${input.command.kind}`;
    case "persisted":
      return input.error === undefined ? "written" : `not written: ${input.error}`;
    case "resolved":
      return `resolved ${input.seed}`;
    case "wake":
      return "wakes";
  }
}

function sayAction(action: Action<HostEvent>, name: Name): string {
  const say = (read: () => readonly Message[]) => readable(read, name);
  switch (action.kind) {
    case "send":
      return `to ${shortEndpoint(action.to)}: ${say(() => readPacket(action.bytes))}`;
    case "request":
      return `asks ${shortEndpoint(action.to)}: ${say(() => frame(action.bytes))}`;
    case "answer":
      return `answers: ${say(() => frame(action.bytes))}`;
    case "event":
      return "member" in action.event
        ? `${action.event.kind} ${action.event.member.name}`.toUpperCase()
        : sayClaimEvent(action.event, name);
    case "persist":
    case "resolve":
      return "";
  }
}

function frame(bytes: Uint8Array): Message[] {
  const message = readFrame(bytes);
  return message === null ? [] : [message];
}

/** Whatever cannot be read is itself worth reading of. */
function readable(read: () => readonly Message[], name: Name): string {
  try {
    const messages = read();
    if (messages.length === 0) return "refused";
    return messages.map((message) => sayMessage(message, name)).join(" + ");
  } catch (error) {
    return `unreadable (${reasonOf(error)})`;
  }
}

function sayMessage(message: Message, name: Name): string {
  switch (message.kind) {
    case "ping":
    case "reach":
      return `${message.kind}#${message.sequence % 1000} for ${name(message.target)}`;
    case "indirect-ping":
      return `indirect-ping#${message.sequence % 1000} for ${name(message.target)}`;
    case "ack":
    case "nack":
      return `${message.kind}#${message.sequence % 1000}`;
    case "suspect":
    case "dead":
      return `${message.kind} ${name(message.id)}@${message.incarnation} by ${
        name(message.accuser)
      }`;
    case "left":
      return `left ${name(message.id)}@${message.incarnation}`;
    case "alive":
      return `alive ${message.record.name}@${message.record.incarnation}`;
    case "rider-item":
    case "rider-letter":
      return sayClaimMessage(message.bytes, name);
    default:
      return message.kind;
  }
}

/** Simulated ids are padded numbers: h7 again, h7' for the second host at its address. */
function short(id: string): string {
  if (!/^\d{32}$/.test(id)) return id.slice(0, 8);
  return `h${Number(id.slice(2))}${"'".repeat(Number(id.slice(0, 2)))}`;
}

/** Simulated addresses are 10.0.x.y: h(256 x + y) again. */
function shortEndpoint(endpoint: string): string {
  const match = /^10\.0\.(\d+)\.(\d+):/.exec(endpoint);
  return match === null ? endpoint : `h${Number(match[1]) * 256 + Number(match[2])}`;
}
