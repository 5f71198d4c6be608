/**
 * How to wrap what goes to an endpoint: plain, or sealed for the process that is known to be there.
 *
 * A member's own news say which process it is; so does the answer to a hello, which is asked where nothing is known or the
 * known process is gone. What is wrong here is noticed over a stream and put right by a hello.
 */
import type { Endpoint } from "../base/core.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import type { Path, Sealing } from "../wire/envelope.ts";
import { Feature, hasFeature } from "../wire/features.ts";
import type { Member } from "./member.ts";

/** Members move now and then; who is forgotten for want of room is asked with a hello again. */
const PATHS_MAX = 2 * MEMBERS_MAX;

export class Paths {
  readonly #isSealing: boolean;
  readonly #allowsPlain: boolean;
  /** In the order in which they were learnt. */
  readonly #paths = new Map<Endpoint, Path>();

  constructor(sealing: Sealing | null) {
    this.#isSealing = sealing !== null;
    this.#allowsPlain = sealing === null || sealing.plainGossip === "allow";
  }

  /** Whether this host may speak plainly at all. */
  get allowsPlain(): boolean {
    return this.#allowsPlain;
  }

  /** Null when it is not known who is at that endpoint, if anybody. */
  to(endpoint: Endpoint): Path | null {
    if (!this.#isSealing) return "plain";
    return this.#paths.get(endpoint) ?? null;
  }

  /** A member changed. Of several at one endpoint the one that was last alive there counts. */
  changed(member: Member): void {
    if (member.status !== "alive" && this.#paths.has(member.endpoint)) return;
    const isSealed = hasFeature(member.features, Feature.opensSealed);
    if (!isSealed && !this.#allowsPlain) return this.#forget(member.endpoint);
    this.#learn(member.endpoint, isSealed ? sealedFor(member.instance) : "plain");
  }

  /** Somebody said hello from there. */
  met(endpoint: Endpoint, instance: string): Path {
    const path = sealedFor(instance);
    this.#learn(endpoint, path);
    return path;
  }

  #learn(endpoint: Endpoint, path: Path): void {
    if (!this.#isSealing) return;
    this.#forget(endpoint);
    this.#paths.set(endpoint, path);
    if (this.#paths.size <= PATHS_MAX) return;
    for (const oldest of this.#paths.keys()) return this.#forget(oldest);
  }

  #forget(endpoint: Endpoint): void {
    this.#paths.delete(endpoint);
  }
}

function sealedFor(instance: string): Path {
  return { destination: Uint8Array.fromHex(instance), key: null };
}
