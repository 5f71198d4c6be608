/** Faults as lines of text, for people to read and write: `12000 kill h3`, `15000 link h1 h2 lossRate=0.5`. */
import { assert } from "../base/assert.ts";
import { UserError } from "../base/errors.ts";
import type { Fault, LinkOptions, TimedFault } from "./fault.ts";
import { LAN, type NetworkOptions } from "./network.ts";

/** What a line says when the disk works again. */
const DISK_WORKS = "ok";

const NAME = /^h[1-9]\d{0,4}$/;

/** The line of a fault; times are whole milliseconds. */
export function formatTimedFault({ atMs, fault }: TimedFault): string {
  return `${Math.round(atMs)} ${formatFault(fault)}`;
}

export function formatFault(fault: Fault): string {
  switch (fault.kind) {
    case "jump":
      return `jump ${fault.host} ${fault.byMs}`;
    case "drift":
      return `drift ${fault.host} ${fault.rate}`;
    case "forget":
    case "clone":
    case "swap":
      return `${fault.kind} ${fault.host} ${fault.other}`;
    case "rollback":
      return `rollback ${fault.host} ${fault.backMs}`;
    case "pool":
      return `pool ${fault.host} ${fault.words.join(" ")}`;
    case "flood":
    case "garbage":
      return `${fault.kind} ${fault.host} ${fault.count}`;
    case "disk":
      return `disk ${fault.host} ${fault.error ?? DISK_WORKS}`;
    case "slow-disk":
      return `slow-disk ${fault.host} ${fault.delayMs}`;
    case "partition":
      return ["partition", ...fault.groups.map((group) => group.join(","))].join(" ");
    case "cut":
    case "mend":
      return `${fault.kind} ${fault.from} ${fault.to}`;
    case "link":
      return `link ${fault.from} ${fault.to} ${formatOptions(fault.options)}`;
    case "network":
      return `network ${formatOptions(fault.options)}`;
    case "heal":
      return "heal";
    default:
      return `${fault.kind} ${fault.host}`;
  }
}

/** Reads what {@linkcode formatTimedFault} wrote. Throws {@linkcode UserError} that says what is wrong. */
export function parseTimedFault(line: string): TimedFault {
  const [time = "", ...words] = line.trim().split(/\s+/);
  const atMs = number(time, line);
  return { atMs, fault: parseFault(words, line) };
}

function parseFault(words: readonly string[], line: string): Fault {
  const [kind, ...rest] = words;
  const host = () => name(rest[0], line);
  const second = () => name(rest[1], line);
  switch (kind) {
    case "kill":
    case "boot":
    case "reinstall":
    case "replace":
    case "pause":
    case "resume":
    case "freeze":
    case "thaw":
    case "leave":
    case "join":
    case "release":
    case "wipe":
    case "move":
      return { kind, host: host() };
    case "jump":
      return { kind, host: host(), byMs: number(rest[1], line) };
    case "drift":
      return { kind, host: host(), rate: number(rest[1], line) };
    case "forget":
    case "clone":
    case "swap":
      return { kind, host: host(), other: second() };
    case "rollback":
      return { kind, host: host(), backMs: number(rest[1], line) };
    case "pool":
      return { kind, host: host(), words: rest.slice(1) };
    case "flood":
    case "garbage":
      return { kind, host: host(), count: number(rest[1], line) };
    case "disk": {
      const error = rest.slice(1).join(" ");
      return { kind, host: host(), error: error === DISK_WORKS ? null : error };
    }
    case "slow-disk":
      return { kind, host: host(), delayMs: number(rest[1], line) };
    case "partition":
      return {
        kind,
        groups: rest.map((group) => group.split(",").map((member) => name(member, line))),
      };
    case "cut":
    case "mend":
      return { kind, from: host(), to: second() };
    case "link":
      return { kind, from: host(), to: second(), options: parseOptions(rest.slice(2), line) };
    case "network":
      return { kind, options: parseOptions(rest, line) };
    case "heal":
      return { kind };
    default:
      throw bad(line, `there is no fault ${JSON.stringify(kind ?? "")}`);
  }
}

function formatOptions(options: LinkOptions): string {
  return Object.entries(options).map(([key, value]) => `${key}=${value}`).join(" ");
}

function parseOptions(words: readonly string[], line: string): LinkOptions {
  const options: { -readonly [Key in keyof NetworkOptions]?: number } = {};
  for (const word of words) {
    const [key = "", value] = word.split("=");
    if (!isOption(key)) {
      throw bad(line, `a link has no ${JSON.stringify(key)}, only ${Object.keys(LAN).join(", ")}`);
    }
    options[key] = value === "Infinity" ? Infinity : number(value, line);
  }
  assert(Object.keys(options).length <= Object.keys(LAN).length, "only known options are kept");
  return options;
}

function isOption(key: string): key is keyof NetworkOptions {
  return Object.hasOwn(LAN, key);
}

function name(text: string | undefined, line: string): string {
  if (text !== undefined && NAME.test(text)) return text;
  throw bad(line, `${JSON.stringify(text ?? "")} is not a host; they are named h1, h2, ...`);
}

function number(text: string | undefined, line: string): number {
  const value = Number(text ?? "x");
  if (text !== "" && Number.isFinite(value) && value >= 0) return value;
  throw bad(line, `${JSON.stringify(text ?? "")} is not a number of 0 or more`);
}

function bad(line: string, reason: string): UserError {
  return new UserError(`Scenario line ${JSON.stringify(line)}: ${reason}`, {
    remedy: 'Each line is a time in milliseconds and a fault, such as "12000 kill h3"',
  });
}
