/**
 * Whether states that were taken for one really are one. Two ways to such a state are gone again by claimants that nobody
 * copied or moved in time, and both are then given the same further inputs: they must answer alike.
 */
import { Random } from "../../mod/base/random.ts";
import { decode } from "../../mod/wire/codec.ts";
import type { Hosts } from "./hosts.ts";
import type { Input } from "./input.ts";
import { LEFT, memberCode, startsOf, UNKNOWN } from "./member_code.ts";
import type { Place } from "./place.ts";
import { Run } from "./run.ts";
import { NOW_MS } from "./walker.ts";

/** Inputs that both are given in the end. */
const FURTHER = 6;

/** Goes again through so many pairs of ways; a sentence for each pair that parted, best none. */
export function partings(hosts: Hosts, pairs: number, seed: number): string[] {
  const random = new Random(seed);
  const found: string[] = [];
  for (let count = 0; count < pairs && hosts.detours.length > 0; count++) {
    const detour = hosts.detours[random.below(hosts.detours.length)];
    if (detour === undefined) continue;
    const one = new Replay(hosts, detour.to);
    const other = new Replay(hosts, detour.from);
    other.take(detour.input);
    const inputs = [];
    const texts = [one.text(), other.text()];
    for (let more = 0; more < FURTHER && texts[0] === texts[1]; more++) {
      const input = likelyInput(hosts, hosts.local(detour.to).host, random);
      inputs.push(input);
      texts[0] = one.take(input);
      texts[1] = other.take(input);
    }
    if (texts[0] === texts[1]) continue;
    const after = inputs.map((input) => JSON.stringify(hosts.inputs[input])).join(", ");
    found.push(`after ${after}: ${texts[0]} against ${texts[1]}`);
  }
  return found;
}

/** Something that this host was given at some time. */
function likelyInput(hosts: Hosts, host: number, random: Random): number {
  for (;;) {
    const step = random.below(hosts.locals.length);
    const { origin, host: whose } = hosts.local(step);
    const kind = origin === null ? null : hosts.inputs[origin.input]?.kind;
    const isFit = kind !== null && kind !== "start" && kind !== "crash" && kind !== "left" &&
      kind !== "swap";
    if (whose === host && origin !== null && isFit) return origin.input;
  }
}

/** A host that lives through a history in one piece. */
class Replay {
  readonly #hosts: Hosts;
  #place: Place;
  #nowMs = 5_000_000;

  /** Lives through the way by which the search came to that state first. */
  constructor(hosts: Hosts, local: number) {
    this.#hosts = hosts;
    const inputs: number[] = [];
    let at = hosts.local(local);
    for (; at.origin !== null; at = hosts.local(at.origin.from)) inputs.unshift(at.origin.input);
    this.#place = at;
    for (const input of inputs) this.take(input);
  }

  /** Gives one input; what comes of it, as text. */
  take(inputId: number): string {
    const input: Input | undefined = this.#hosts.inputs[inputId];
    if (input === undefined) return "no such input";
    const { host, members, disk, claimant } = this.#place;
    if (input.kind === "crash" || input.kind === "left" || input.kind === "swap") {
      const after = [...members];
      if (input.kind === "left") after[host] = memberCode(startsOf(members[host] ?? UNKNOWN), LEFT);
      const kept = input.kind === "swap" ? input.payload : disk;
      this.#place = { host, claimant: null, members: after, disk: kept };
      return this.text();
    }
    if (claimant === null && input.kind !== "start") return "down";
    if (input.kind === "pass" || input.kind === "sleep") this.#nowMs += input.ms;
    const run = new Run(this.#hosts, this.#place, input, true);
    run.perform(this.#nowMs);
    this.#place = { host, claimant: run.claimant, members: run.carrier.members_, disk: run.disk };
    const items = run.items.map((id) => {
      const item = this.#hosts.item(id);
      return JSON.stringify({ ...item, payload: plain(this.#hosts, item.payload) });
    });
    return `${this.text()} sends ${items.join(" ")} and answers ${plain(this.#hosts, run.answer)}`;
  }

  /** The present state, as seen from now. */
  text(): string {
    const { claimant, members, disk } = this.#place;
    const written = plain(this.#hosts, disk);
    if (claimant === null) return `down ${members} ${written}`;
    const frame = new Run(this.#hosts, { ...this.#place }, { kind: "wake" }).claimant;
    const rested = this.#hosts.walker.copy(claimant, frame, NOW_MS - this.#nowMs);
    const wakeInMs = claimant.wakeAtMs() - this.#nowMs;
    return `${this.#hosts.walker.fingerprint(rested)} ${members} ${written} wakes in ${wakeInMs}`;
  }
}

/** Fields of a claim record (mod/claim/record_codec.ts). */
const RECORD_FIELDS_MIN = 17;
const STRENGTH_FIELD = 11;
/** Of the claim document (mod/claim/memory.ts): the checksum over the rest. */
const DOCUMENT_CHECKSUM_FIELD = 2;

/**
 * A message or document as text, without what may differ between states that are one: how many seconds ago a question was
 * given up that nobody ever held. It decides alone when the question is dropped, a day later.
 */
function plain(hosts: Hosts, payload: number): string {
  const bytes = hosts.blobs[payload]?.bytes;
  if (bytes === undefined) return String(payload);
  return JSON.stringify(withoutAges(decode(bytes)));
}

function withoutAges(value: unknown): unknown {
  const opened = opening(value);
  if (!Array.isArray(opened)) return opened;
  const isDocument = opened[0] === "gossamer claim";
  return opened.map((field: unknown, index) => {
    if (isDocument && index === DOCUMENT_CHECKSUM_FIELD) return "checksum";
    const isAge = typeof field === "number" && isUnheld(opening(opened[index - 1]));
    return isAge ? "age" : withoutAges(field);
  });
}

/** Records and documents travel as bytes within others. */
function opening(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  try {
    const decoded = decode(value);
    if (Array.isArray(decoded)) return decoded;
  } catch {
    // An identity, an address.
  }
  return [...value].join(",");
}

function isUnheld(field: unknown): boolean {
  return Array.isArray(field) && field.length >= RECORD_FIELDS_MIN && field[STRENGTH_FIELD] === 0;
}
