/** The agent's dealings with gossip keys: the operator's requests, and the key file that follows what the cluster decides. */
import { assert } from "../base/assert.ts";
import type { HostCommand, HostSnapshot } from "../claim/host_core.ts";
import { unreadKeys, writeKeyFile } from "../host/key_file.ts";
import type { KeyOutcome } from "../swim/key_outcome.ts";
import type { KeyOperation } from "../wire/key_messages.ts";
import { fingerprintOf, parseKeys } from "../wire/keyring.ts";
import type { KeysAnswer, KeysDocument } from "./api.ts";
import { awaitedHosts, KeyRequests } from "./key_requests.ts";
import { keysAnswer, keysDocument } from "./keys_document.ts";
import type { KeyChange } from "./request_body.ts";

export class AgentKeys {
  readonly #keyFile: string | null;
  readonly #snapshot: () => HostSnapshot;
  readonly #command: (command: HostCommand) => void;
  readonly #requests = new KeyRequests();

  constructor(parts: {
    keyFile: string | null;
    snapshot: () => HostSnapshot;
    command: (command: HostCommand) => void;
  }) {
    this.#keyFile = parts.keyFile;
    this.#snapshot = parts.snapshot;
    this.#command = parts.command;
  }

  async list(): Promise<KeysDocument> {
    return keysDocument(await this.#ask({ kind: "list" }, false));
  }

  async change(change: KeyChange, force: boolean): Promise<KeysAnswer> {
    return keysAnswer(change, await this.#ask(change, force));
  }

  /** Takes the core's `keys-done` event. */
  done(request: number, outcome: KeyOutcome): void {
    this.#requests.done(request, outcome);
  }

  /** Whether somebody wrote keys into the key file since the agent read it. */
  hasUnread(): boolean {
    const known = this.#snapshot().swim.encryption?.fingerprints ?? [];
    return this.#keyFile !== null && unreadKeys(this.#keyFile, known).length > 0;
  }

  /** Replaces the key file. Throws an Error that says why not: also when somebody else wrote a key into it. */
  persist(bytes: Uint8Array): void {
    const keyFile = this.#keyFile;
    assert(keyFile !== null, "a host without a key file has no keys to keep");
    const keys = new TextDecoder().decode(bytes);
    const wanted = parseKeys(keys, keyFile).map(fingerprintOf);
    const known = this.#snapshot().swim.encryption?.fingerprints ?? [];
    const unread = unreadKeys(keyFile, [...known, ...wanted]);
    if (unread.length > 0) {
      throw new Error(
        `somebody wrote the key ${unread.join(", ")} into ${keyFile} since the agent read it: ` +
          "restart the agent first",
      );
    }
    writeKeyFile(keyFile, keys);
  }

  async #ask(operation: KeyOperation, force: boolean): Promise<KeyOutcome> {
    const awaited = awaitedHosts(this.#snapshot());
    return await this.#requests.ask((request) => {
      this.#command({ kind: "keys", request, operation, force, awaited });
    });
  }
}
