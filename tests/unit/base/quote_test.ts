/** Text from outside in messages. */
import assert from "node:assert/strict";
import { quote, quoteStart, shellWord } from "../../../mod/base/quote.ts";

Deno.test("quoted text has nothing that a terminal obeys, and can be read back", () => {
  // Delete, the one-character CSI and OSC, line separator, right-to-left override.
  const hostile = '\u0000\u001b[2J\u007f\u009b2J\u009d0;title\u2028\u202e"é';
  const quoted = quote(hostile);
  assert.match(quoted, /^"[\u0020-\u007eé]*"$/);
  assert.equal(JSON.parse(quoted), hostile);
});

Deno.test("long text is shown by its beginning", () => {
  assert.equal(quoteStart("10.0.0.1", 8), '"10.0.0.1"');
  assert.equal(quoteStart("10.0.0.12", 8), '"10.0.0.1…"');
  assert.equal(quoteStart("1234567\u{1f600}", 8), '"1234567…"', "no half characters");
});

Deno.test("what a shell would take apart or run stays one word", () => {
  for (const plain of ["eth0.100", "flannel-v6.1", "net/ipv6/conf/eth0/accept_ra", "fd00::1/64"]) {
    assert.equal(shellWord(plain), plain);
  }
  assert.equal(shellWord("e;reboot"), "'e;reboot'");
  assert.equal(shellWord("$(id)"), "'$(id)'");
  assert.equal(shellWord("e'th"), "'e'\\''th'");
  assert.equal(shellWord(""), "''");
});
