/** Gossip keys over a stream: what one host asks another to do with its keyring, and what that one has then. */
import { WireError } from "../base/errors.ts";
import { KEY_BYTES } from "./aead.ts";
import { encode, type WireValue } from "./codec.ts";
import { FINGERPRINT_BYTES, KEYS_MAX } from "./keyring.ts";
import { checkId } from "./member_record.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkBytes, checkHex, checkList, checkText, checkUint } from "./shape.ts";

/** What may be done with the gossip keys; a fingerprint names a key without telling it. */
export type KeyOperation =
  | { readonly kind: "list" }
  /** Have the key, to open what others seal with it. */
  | { readonly kind: "install"; readonly key: Uint8Array }
  /** Seal with the key from now on. */
  | { readonly kind: "use"; readonly fingerprint: string }
  | { readonly kind: "remove"; readonly fingerprint: string };

export interface KeysRequest {
  readonly kind: "keys";
  /** The host that is meant: another one may have its address by now. */
  readonly target: string;
  readonly operation: KeyOperation;
}

/** What the answering host has when it answers. */
export interface KeysAnswer {
  readonly kind: "keys-answer";
  /** Fingerprints, the primary first. */
  readonly fingerprints: readonly string[];
  /** Why it did not do as asked; null when it did. */
  readonly failure: string | null;
}

/** In the order of their codes on the wire. */
const OPERATIONS = ["list", "install", "use", "remove"] as const;

/** A sentence of what the disk says, with a path. */
export const FAILURE_LENGTH_MAX = 400;

export function encodeKeysRequest(target: string, operation: KeyOperation): Uint8Array {
  return encode([
    MessageType.keys,
    Uint8Array.fromHex(target),
    OPERATIONS.indexOf(operation.kind),
    operation.kind === "list"
      ? null
      : operation.kind === "install"
      ? operation.key
      : Uint8Array.fromHex(operation.fingerprint),
  ]);
}

export function encodeKeysAnswer(
  fingerprints: readonly string[],
  failure: string | null,
): Uint8Array {
  const named = fingerprints.map((fingerprint) => Uint8Array.fromHex(fingerprint));
  const text = failure?.slice(0, FAILURE_LENGTH_MAX) ?? null;
  return encode([MessageType.keysAnswer, named, text]);
}

export function decodeKeysRequest(value: WireValue): KeysRequest {
  const fields = checkArray(value, 4, "keys");
  const code = checkUint(fields[2], OPERATIONS.length - 1, "keys operation");
  return {
    kind: "keys",
    target: checkId(fields[1], "keys target"),
    operation: readOperation(OPERATIONS[code] ?? "list", fields[3]),
  };
}

export function decodeKeysAnswer(value: WireValue): KeysAnswer {
  const fields = checkArray(value, 3, "keys answer");
  const failure = fields[2];
  return {
    kind: "keys-answer",
    fingerprints: checkList(fields[1], KEYS_MAX, "keys answer").map((fingerprint) =>
      checkHex(fingerprint, FINGERPRINT_BYTES, "keys answer fingerprint")
    ),
    failure: failure === null ? null : checkText(failure, FAILURE_LENGTH_MAX, "keys answer"),
  };
}

function readOperation(kind: KeyOperation["kind"], argument: WireValue | undefined): KeyOperation {
  switch (kind) {
    case "list":
      if (argument !== null) throw new WireError("keys list: an argument");
      return { kind };
    case "install":
      return { kind, key: checkBytes(argument, KEY_BYTES, "keys install") };
    case "use":
    case "remove":
      return { kind, fingerprint: checkHex(argument, FINGERPRINT_BYTES, `keys ${kind}`) };
  }
}
