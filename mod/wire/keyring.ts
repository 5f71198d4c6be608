/** The gossip keys of a cluster: the first seals, any opens, so that keys can be changed host by host. */
import { assert } from "../base/assert.ts";
import { ConfigError } from "../base/errors.ts";
import { type Aead, KEY_BYTES } from "./aead.ts";

export class Keyring {
  /** Never empty; the first is the primary. */
  readonly keys: readonly Uint8Array[];
  readonly aead: Aead;

  constructor(keys: readonly Uint8Array[], aead: Aead) {
    assert(keys.length > 0, "a keyring has at least one key");
    assert(keys.every((key) => key.length === KEY_BYTES), `a key has ${KEY_BYTES} bytes`);
    this.keys = keys;
    this.aead = aead;
  }

  get primary(): Uint8Array {
    const first = this.keys[0];
    assert(first !== undefined, "a keyring has at least one key");
    return first;
  }
}

/**
 * Reads a key file: one base64 key of 32 bytes a line, the primary first; empty lines and lines that
 * begin with `#` do not count. Throws {@linkcode ConfigError} that names the file and line, not the key.
 */
export function parseKeys(text: string, path: string): Uint8Array[] {
  const remedy = "Write one key a line, as `head -c 32 /dev/urandom | base64` prints it";
  const keys: Uint8Array[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const encoded = line.trim();
    if (encoded === "" || encoded.startsWith("#")) continue;
    keys.push(parseKey(encoded, `${path}, line ${index + 1}`, remedy));
  }
  if (keys.length === 0) throw new ConfigError(path, "There is no key in it", remedy);
  return keys;
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
