/**
 * Hostile bytes into whole living hosts, through every door: nothing throws, and unless what came in is well-formed to its
 * last field, the host believes after it exactly what it believed before. A host with a key is moved by nobody without it.
 */
import assert from "node:assert/strict";
import { Random } from "../../mod/base/random.ts";
import { WireError } from "../../mod/base/errors.ts";
import { PACKET_BYTES_MAX } from "../../mod/base/limits.ts";
import { decodeClaimMessage } from "../../mod/claim/messages.ts";
import { AES_GCM } from "../../mod/host/aes_gcm.ts";
import { Envelope } from "../../mod/wire/envelope.ts";
import { Keyring } from "../../mod/wire/keyring.ts";
import { decodeMessage, type Message } from "../../mod/wire/messages.ts";
import { joinParts, splitParts } from "../../mod/wire/parts.ts";
import { LABEL, type LiveHost, LiveHosts, talkativeHosts } from "./live_hosts.ts";
import { hostileInput } from "./mutation.ts";
import { FRAMES, messages, PACKETS, PAYLOADS } from "./samples.ts";

const SEED = 20_260_101;
const ROUNDS = 6_000;
const STRANGER = "203.0.113.66:666";
const plain = new Envelope(LABEL, null);

/** Bytes that may move a host are for one that is thrown away after so many. */
const VICTIM_ROUNDS = 300;

/** Datagrams: damaged as they are, or damaged within a good envelope. */
function datagram(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return hostileInput(random, PACKETS);
    case 1:
      return plain.seal(hostileInput(random, PAYLOADS));
    default:
      return plain.seal(joinParts([someMessage(random)]));
  }
}

function frame(random: Random): Uint8Array {
  return random.below(4) === 0 ? hostileInput(random, FRAMES) : plain.seal(someMessage(random));
}

const MESSAGES = messages();

function someMessage(random: Random): Uint8Array {
  const bytes = hostileInput(random, MESSAGES);
  return bytes.length === 0 ? new Uint8Array(1) : bytes;
}

/** The messages of something well-formed that a host may act upon; none of anything else. */
function effective(read: () => readonly Message[]): Message[] {
  return refusable(read, []).filter(isEffective);
}

function isEffective(message: Message): boolean {
  if (message.kind === "unknown") return false;
  if (message.kind !== "rider-item" && message.kind !== "rider-letter") return true;
  return refusable(() => [decodeClaimMessage(message.bytes)], []).length > 0;
}

function refusable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return otherwise;
    throw error;
  }
}

/** Hosts in the middle of their lives: the first holds a subnet, knows others, one of them lost, one gone. */
function settled(keys?: Keyring): { live: LiveHosts; host: LiveHost } {
  const live = talkativeHosts(keys);
  live.isCutOff = true;
  return { live, host: live.first };
}

/** A throwaway host, renewed now and then, and what it may never lose. */
class Victim {
  #live = settled();
  #rounds = 0;

  take(feed: (host: LiveHost, nowMs: number) => void): void {
    if (++this.#rounds % VICTIM_ROUNDS === 0) this.#live = settled();
    const { live, host } = this.#live;
    feed(host, live.nowMs);
    // What follows from it follows now and then, since hostile hosts leave much to do.
    if (this.#rounds % 20 === 0) live.runFor(400);
    const { swim, claim } = host.core.snapshot();
    assert.equal(swim.self.id, host.id);
    assert.equal(claim.record?.hostId, host.id);
    assert.ok(swim.members.some(({ id }) => id === host.id), "a host is a member of its cluster");
  }
}

Deno.test(`${ROUNDS} datagrams move a host only if they are well-formed (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const { live, host } = settled();
  const victim = new Victim();
  let believed = host.digest();
  let moved = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = datagram(random);
    const input = { kind: "packet", from: STRANGER, bytes } as const;
    const isTooLong = bytes.length > PACKET_BYTES_MAX;
    const parts = isTooLong
      ? []
      : effective(() => splitParts(plain.open(bytes).payload).map(decodeMessage));
    if (parts.length > 0) {
      moved++;
      victim.take((target, nowMs) => target.core.step(nowMs, input));
      continue;
    }
    assert.deepEqual(host.core.step(live.nowMs, input), [], bytes.toHex());
    const now = host.digest();
    assert.equal(now, believed, bytes.toHex());
    believed = now;
  }
  assert.ok(moved > ROUNDS / 20 && moved < ROUNDS / 2, `${moved} of ${ROUNDS} were well-formed`);
});

Deno.test(`${ROUNDS} requests move a host only if they are well-formed (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const { live, host } = settled();
  const victim = new Victim();
  const believed = host.digest();
  for (let id = 1; id <= ROUNDS; id++) {
    const bytes = frame(random);
    const input = { kind: "request", id, from: STRANGER, bytes } as const;
    if (effective(() => [decodeMessage(plain.open(bytes).payload)]).length > 0) {
      victim.take((target, nowMs) => target.core.step(nowMs, input));
      continue;
    }
    const [answer, ...more] = host.core.step(live.nowMs, input);
    assert(answer?.kind === "answer" && more.length === 0, bytes.toHex());
    assert.equal(answer.id, id);
    assert.equal(host.digest(), believed, bytes.toHex());
  }
});

/** Has the host ask at some seed; the id of its question. */
function question(host: LiveHost, nowMs: number): number {
  // One that is being asked already is not asked again: then another.
  for (let port = 7000; port < 7100; port++) {
    const seed = `203.0.113.7:${port}`;
    const join = { kind: "join", seeds: [seed] } as const;
    host.core.step(nowMs, { kind: "command", command: join });
    const resolved = { kind: "resolved", seed, endpoints: [seed] } as const;
    const asked = host.core.step(nowMs, resolved).find(({ kind }) => kind === "request");
    if (asked?.kind === "request") return asked.id;
  }
  throw new Error("no seed is asked");
}

/** Beliefs but those about the seed that is asked. */
function beliefs(host: LiveHost): string {
  return JSON.stringify([host.core.snapshot().swim.members, host.core.snapshot().claim.records]);
}

Deno.test(`${ROUNDS} answers move a host only if they are well-formed (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const { live, host } = settled();
  const victim = new Victim();
  const believed = beliefs(host);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = frame(random);
    if (effective(() => [decodeMessage(plain.open(bytes).payload)]).length > 0) {
      victim.take((target, nowMs) => {
        target.core.step(nowMs, { kind: "answer", id: question(target, nowMs), bytes });
      });
      continue;
    }
    const id = question(host, live.nowMs);
    host.core.step(live.nowMs, { kind: "answer", id, bytes });
    assert.equal(beliefs(host), believed, bytes.toHex());
  }
});

/** A ring of one key. */
function ring(byte: number): Keyring {
  return new Keyring([new Uint8Array(32).fill(byte)], AES_GCM);
}

Deno.test(`${ROUNDS} datagrams, requests and answers of strangers never move a host with a key (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const { live, host } = settled(ring(1));
  // What never arrived would be late, not replayed.
  const heard = random.sample([...live.traffic.delivered, ...live.traffic.answers], 200);
  const foreign = talkativeHosts(ring(2)).traffic;
  const others = [...foreign.packets, ...foreign.requests, ...foreign.answers];
  /** What was overheard, as it was or damaged; what another cluster said; all that hosts without keys say. */
  const stranger = (): Uint8Array => {
    const [overheard = new Uint8Array()] = random.sample(heard, 1);
    const [another = new Uint8Array()] = random.sample(others, 1);
    switch (random.below(5)) {
      case 0:
        return overheard;
      case 1:
        return another;
      case 2:
        return datagram(random);
      case 3:
        return frame(random);
      default:
        return hostileInput(random, [overheard]);
    }
  };
  const believed = host.digest();
  for (let id = 1; id <= ROUNDS; id++) {
    const bytes = stranger();
    const packet = { kind: "packet", from: STRANGER, bytes } as const;
    assert.deepEqual(host.core.step(live.nowMs, packet), [], bytes.toHex());
    host.core.step(live.nowMs, { kind: "request", id, from: STRANGER, bytes });
    assert.equal(host.digest(), believed, bytes.toHex());
  }
  const known = beliefs(host);
  for (let round = 0; round < ROUNDS / 10; round++) {
    const id = question(host, live.nowMs);
    const bytes = stranger();
    host.core.step(live.nowMs, { kind: "answer", id, bytes });
    assert.equal(beliefs(host), known, bytes.toHex());
  }
});
