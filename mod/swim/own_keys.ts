/**
 * Changes of this host's own keyring. Each is on disk before it counts, so that nobody is told of a key that a power cut takes
 * away again; one is under way at a time, the others wait.
 */
import type { KeyOperation } from "../wire/key_messages.ts";
import {
  fingerprintOf,
  formatKeys,
  type GossipKey,
  type Keyring,
  KEYS_MAX,
} from "../wire/keyring.ts";
import type { SwimEvent } from "./event.ts";
import type { Post } from "./post.ts";

/** The id of the persist actions for the key file; those of swim are 0 and below, see keeper.ts. */
export const KEYS_PERSIST_ID = -1;

/** Called once, with what the keyring is then and why it is not as asked; null when it is. */
export type KeysAnswered = (fingerprints: readonly string[], failure: string | null) => void;

/** Changes that wait: a person makes one at a time, from each of the hosts at most. */
const WAITING_MAX = 64;

/** A keyring as it shall be. */
interface Plan {
  readonly keys: readonly GossipKey[];
  readonly change: Extract<SwimEvent, { kind: "keys-changed" }>["change"];
  readonly fingerprint: string;
}

export class OwnKeys {
  readonly #keys: Keyring | null;
  readonly #post: Post;
  readonly #waiting: { readonly operation: KeyOperation; readonly answered: KeysAnswered }[] = [];
  /** What is being written. */
  #underWay: { readonly plan: Plan; readonly answered: KeysAnswered } | null = null;

  constructor(keys: Keyring | null, post: Post) {
    this.#keys = keys;
    this.#post = post;
  }

  /** The primary first; empty without a keyring. */
  get fingerprints(): readonly string[] {
    return this.#keys?.fingerprints ?? [];
  }

  /** Does what this or another host's operator asks for. */
  change(operation: KeyOperation, answered: KeysAnswered): void {
    if (operation.kind === "list") return answered(this.fingerprints, null);
    if (this.#waiting.length >= WAITING_MAX) {
      return answered(this.fingerprints, "too many changes of its keys are under way");
    }
    this.#waiting.push({ operation, answered });
    this.#next();
  }

  /** Takes the `persisted` input of {@linkcode KEYS_PERSIST_ID}. */
  persisted(error: string | undefined): void {
    const underWay = this.#underWay;
    if (underWay === null) return;
    this.#underWay = null;
    const { plan, answered } = underWay;
    if (error === undefined) {
      this.#keys?.replace(plan.keys);
      const { change, fingerprint } = plan;
      this.#post.event({ kind: "keys-changed", change, fingerprint });
    }
    answered(this.fingerprints, error === undefined ? null : `it cannot save its keys: ${error}`);
    this.#next();
  }

  #next(): void {
    while (this.#underWay === null) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const plan = this.#plan(next.operation);
      if (plan === null || typeof plan === "string") {
        next.answered(this.fingerprints, plan);
        continue;
      }
      this.#underWay = { plan, answered: next.answered };
      const bytes = new TextEncoder().encode(formatKeys(plan.keys));
      this.#post.push({ kind: "persist", id: KEYS_PERSIST_ID, document: "keys", bytes });
    }
  }

  /** Null when there is nothing to change, a reason when it must not be. */
  #plan(operation: KeyOperation): Plan | string | null {
    if (this.#keys === null) return "it has no gossip keys";
    const { keys, primary } = this.#keys;
    if (operation.kind === "list") return null;
    const { kind } = operation;
    const fingerprint = kind === "install" ? fingerprintOf(operation.key) : operation.fingerprint;
    const known = keys.find((key) => key.fingerprint === fingerprint);
    const others = keys.filter((key) => key !== known);
    switch (kind) {
      case "install": {
        if (known !== undefined) return null;
        if (keys.length >= KEYS_MAX) return `it has ${KEYS_MAX} keys already; remove one first`;
        const added = { bytes: operation.key, fingerprint };
        return { keys: [...keys, added], change: "installed", fingerprint };
      }
      case "use":
        if (known === undefined) return `it does not have the key ${fingerprint}`;
        if (known === primary) return null;
        return { keys: [known, ...others], change: "used", fingerprint };
      case "remove":
        if (known === undefined) return null;
        if (known === primary) return `it seals with the key ${fingerprint}; use another one first`;
        return { keys: others, change: "removed", fingerprint };
    }
  }
}
