/** Key files: what is accepted, and how errors point at the line without showing the key. */
import assert from "node:assert/strict";
import { ConfigError } from "../../../mod/base/errors.ts";
import { Random } from "../../../mod/base/random.ts";
import { fingerprintOf, formatKeys, Keyring, parseKeys } from "../../../mod/wire/keyring.ts";
import { testCipher, testKey } from "../../support/test_cipher.ts";

const ONE = new Uint8Array(32).fill(1).toBase64();
const TWO = new Uint8Array(32).fill(2).toBase64();

Deno.test("keys are read in order, empty lines and comments do not count", () => {
  const keys = parseKeys(`# primary\n${ONE}\n\n  ${TWO}  \n`, "keys");
  assert.deepEqual(keys.map((key) => key[0]), [1, 2]);
});

const WRONG: [string, string, RegExp][] = [
  ["an empty file", "\n# nothing\n", /^keys: There is no key in it$/],
  ["a short key", "AAAA\n", /^keys, line 1: The key has 3 bytes instead of 32$/],
  ["no base64", `${ONE}\n!!!\n`, /^keys, line 2: The key is not base64$/],
];

for (const [what, text, message] of WRONG) {
  Deno.test(`refused as a key file: ${what}`, () => {
    assert.throws(() => parseKeys(text, "keys"), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      assert.ok(error.remedy?.includes("base64"));
      return true;
    });
  });
}

const AEAD = testCipher(new Random(1));

Deno.test("a key that is given twice is one key, and nine are too many", () => {
  assert.deepEqual(parseKeys(`${ONE}\n${TWO}\n${ONE}\n`, "keys").map((key) => key[0]), [1, 2]);
  const nine = Array.from({ length: 9 }, (_, index) => testKey(index).toBase64()).join("\n");
  assert.throws(() => parseKeys(nine, "keys"), /keys: There are 9 keys in it, at most 8/);
});

Deno.test("a fingerprint is the beginning of the key's SHA-256", () => {
  // printf '\1%.0s' {1..32} | sha256sum
  assert.equal(fingerprintOf(testKey(1)), "72cd6e84");
});

Deno.test("a keyring is written as it is read", () => {
  const keyring = new Keyring(parseKeys(`${TWO}\n${ONE}\n`, "keys"), AEAD);
  assert.equal(formatKeys(keyring.keys), `${TWO}\n${ONE}\n`);
  assert.deepEqual(keyring.fingerprints, [testKey(2), testKey(1)].map(fingerprintOf));
  assert.equal(keyring.primary.fingerprint, fingerprintOf(testKey(2)));
});

Deno.test("a keyring is never empty and all its keys are whole", () => {
  const keyring = new Keyring([testKey(1)], AEAD);
  assert.throws(() => keyring.replace([]), /1 to 8 keys/);
  assert.throws(() => new Keyring([new Uint8Array(16)], AEAD), /32 bytes/);
});
