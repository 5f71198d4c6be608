/** A run in words: each step a line, for people who look for what went wrong. */
import type { Action, Input } from "../base/core.ts";
import { reasonOf } from "../base/errors.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { SwimCommand } from "../swim/swim.ts";
import type { Message } from "../wire/messages.ts";
import { type Fault } from "./fault.ts";
import { formatFault } from "./fault_text.ts";
import type { MemberHost } from "./membership_cluster.ts";
import type { RunObserver } from "./membership_run.ts";
import { readFrame, readPacket } from "./packet_reader.ts";

/** Lines kept unless said: enough for the last seconds of twenty hosts. */
const LINES_MAX = 400;

/** Keeps the last lines of a run; give it to a run as its observer. */
export class Story implements RunObserver {
  readonly #lines: (() => string)[] = [];
  readonly #linesMax: number;
  readonly #about: ReadonlySet<string> | null;

  /** @param about only these hosts; all when null. */
  constructor(linesMax = LINES_MAX, about: readonly string[] | null = null) {
    this.#linesMax = linesMax;
    this.#about = about === null ? null : new Set(about);
  }

  lines(): string[] {
    return this.#lines.map((line) => line());
  }

  step(
    host: MemberHost,
    nowMs: number,
    input: Input<SwimCommand>,
    actions: readonly Action<SwimEvent>[],
  ): void {
    if (input.kind === "wake" && actions.length === 0) return;
    if (this.#about !== null && !this.#about.has(host.name)) return;
    // Written down only if anybody asks: most lines fall out again.
    const { swimScore } = { swimScore: host.core?.snapshot().healthScore ?? 0 };
    this.#push(() => {
      const did = actions.map(sayAction).filter((text) => text !== "");
      const health = swimScore === 0 ? "" : ` (health ${swimScore})`;
      const what = did.length === 0 ? "" : `  =>  ${did.join("; ")}`;
      return `${nowMs.toFixed(1).padStart(10)} ${host.name.padEnd(4)}${health} ${
        sayInput(input)
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

function sayInput(input: Input<SwimCommand>): string {
  switch (input.kind) {
    case "packet":
      return `from ${shortEndpoint(input.from)}: ${readable(() => readPacket(input.bytes))}`;
    case "request":
      return `asked by ${shortEndpoint(input.from)}: ${readable(() => frame(input.bytes))}`;
    case "answer":
      return `answered ${input.id}: ${readable(() => frame(input.bytes))}`;
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

function sayAction(action: Action<SwimEvent>): string {
  switch (action.kind) {
    case "send":
      return `to ${shortEndpoint(action.to)}: ${readable(() => readPacket(action.bytes))}`;
    case "request":
      return `asks ${shortEndpoint(action.to)}: ${readable(() => frame(action.bytes))}`;
    case "answer":
      return `answers: ${readable(() => frame(action.bytes))}`;
    case "event":
      return "member" in action.event
        ? `${action.event.kind} ${action.event.member.name}`.toUpperCase()
        : action.event.kind.toUpperCase();
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
function readable(read: () => readonly Message[]): string {
  try {
    const messages = read();
    return messages.length === 0 ? "refused" : messages.map(sayMessage).join(" + ");
  } catch (error) {
    return `unreadable (${reasonOf(error)})`;
  }
}

function sayMessage(message: Message): string {
  switch (message.kind) {
    case "ping":
    case "reach":
      return `${message.kind}#${message.sequence % 1000} for ${short(message.target)}`;
    case "indirect-ping":
      return `indirect-ping#${message.sequence % 1000} for ${short(message.target)}`;
    case "ack":
    case "nack":
      return `${message.kind}#${message.sequence % 1000}`;
    case "suspect":
    case "dead":
      return `${message.kind} ${short(message.id)}@${message.incarnation} by ${
        short(message.accuser)
      }`;
    case "left":
      return `left ${short(message.id)}@${message.incarnation}`;
    case "alive":
      return `alive ${message.record.name}@${message.record.incarnation}`;
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
