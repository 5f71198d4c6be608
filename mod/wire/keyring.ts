/** The gossip keys of a cluster: the first seals, any opens, so that keys can be changed host by host. */
import { assert } from "../base/assert.ts";
import { ConfigError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { type Aead, KEY_BYTES } from "./aead.ts";

/** Of a key's SHA-256, enough to tell the few keys of a cluster apart, and nothing that helps to guess 256 random bits. */
export const FINGERPRINT_BYTES = 4;

/** A rotation has two keys at a time; each further one costs another attempt at every packet of strangers. */
export const KEYS_MAX = 8;

/** A key with the name that may be shown. */
export interface GossipKey {
  readonly bytes: Uint8Array;
  /** The first 8 hexadecimal digits of the key's SHA-256. */
  readonly fingerprint: string;
}

/** The name of a key for people: 8 hexadecimal digits. */
export function fingerprintOf(key: Uint8Array): string {
  return sha256(key).subarray(0, FINGERPRINT_BYTES).toHex();
}

export class Keyring {
  readonly aead: Aead;
  #keys: readonly GossipKey[];

  /** @param keys at least one, at most {@linkcode KEYS_MAX}, the primary first. */
  constructor(keys: readonly Uint8Array[], aead: Aead) {
    this.aead = aead;
    this.#keys = keys.map((bytes) => ({ bytes, fingerprint: fingerprintOf(bytes) }));
    this.#check();
  }

  /** Never empty; the first is the primary. */
  get keys(): readonly GossipKey[] {
    return this.#keys;
  }

  /** The key that seals. */
  get primary(): GossipKey {
    const [first] = this.#keys;
    assert(first !== undefined, "a keyring has at least one key");
    return first;
  }

  /** The primary first. */
  get fingerprints(): string[] {
    return this.#keys.map(({ fingerprint }) => fingerprint);
  }

  /** What is changed once it is safe on disk. */
  replace(keys: readonly GossipKey[]): void {
    this.#keys = keys;
    this.#check();
  }

  #check(): void {
    const count = this.#keys.length;
    assert(count > 0 && count <= KEYS_MAX, `a keyring has 1 to ${KEYS_MAX} keys`);
    const sizesFit = this.#keys.every(({ bytes }) => bytes.length === KEY_BYTES);
    assert(sizesFit, `a key has ${KEY_BYTES} bytes`);
  }
}

/**
 * Reads a key file: one base64 key of 32 bytes a line, the primary first; empty lines and lines that
 * begin with `#` do not count. Throws {@linkcode ConfigError} that names the file and line, not the key.
 */
export function parseKeys(text: string, path: string): Uint8Array[] {
  const remedy = "Write one key a line in base64, as gossamer keys generate prints it";
  const keys: Uint8Array[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const encoded = line.trim();
    if (encoded === "" || encoded.startsWith("#")) continue;
    const key = parseKey(encoded, `${path}, line ${index + 1}`, remedy);
    // Given twice it is still one key.
    if (!keys.some((other) => other.toBase64() === key.toBase64())) keys.push(key);
  }
  if (keys.length === 0) throw new ConfigError(path, "There is no key in it", remedy);
  if (keys.length > KEYS_MAX) {
    const text = `There are ${keys.length} keys in it, at most ${KEYS_MAX} are allowed`;
    throw new ConfigError(path, text, "Remove keys that no host uses any more");
  }
  return keys;
}

/** The keys as {@linkcode parseKeys} reads them. */
export function formatKeys(keys: readonly GossipKey[]): string {
  return keys.map(({ bytes }) => `${bytes.toBase64()}\n`).join("");
}

function parseKey(encoded: string, place: string, remedy: string): Uint8Array {
  let key: Uint8Array;
  try {
    key = Uint8Array.fromBase64(encoded);
  } catch {
    throw new ConfigError(place, "The key is not base64", remedy);
  }
  if (key.length === KEY_BYTES) return key;
  throw new ConfigError(place, `The key has ${key.length} bytes instead of ${KEY_BYTES}`, remedy);
}
