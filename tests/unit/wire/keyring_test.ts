/** Key files: what is accepted, and how errors point at the line without showing the key. */
import assert from "node:assert/strict";
import { ConfigError } from "../../../mod/base/errors.ts";
import { parseKeys } from "../../../mod/wire/keyring.ts";

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
