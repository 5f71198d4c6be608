/** Endpoints as bytes, checked against an independent library for IPv6. */
import assert from "node:assert/strict";
import { Address6 } from "ip-address";
import { Random } from "../../../mod/base/random.ts";
import {
  addressFromBytes,
  addressToBytes,
  endpointFromBytes,
  endpointToBytes,
} from "../../../mod/wire/endpoint_bytes.ts";

const PAIRS = [
  ["10.0.0.1:7947", "0a0000011f0b"],
  ["192.168.100.255:65535", "c0a864ffffff"],
  ["127.0.0.1:1", "7f0000010001"],
  ["[::1]:7947", "000000000000000000000000000000011f0b"],
  ["[2001:db8::1]:7947", "20010db80000000000000000000000011f0b"],
  ["[fe80::1:0:0:2]:80", "fe80000000000000000100000000000200" + "50"],
] as const;

for (const [endpoint, hex] of PAIRS) {
  Deno.test(`${endpoint} is ${hex}, both ways`, () => {
    assert.equal(endpointToBytes(endpoint).toHex(), hex);
    assert.equal(endpointFromBytes(Uint8Array.fromHex(hex), "test"), endpoint);
  });
}

Deno.test("IPv6 text is canonical (RFC 5952) for any address", () => {
  const random = new Random(1);
  for (let round = 0; round < 2000; round++) {
    const bytes = new Uint8Array(16);
    // Many zero groups, so that runs of all lengths and places occur.
    for (let group = 0; group < 8; group++) {
      if (random.below(3) === 0) bytes[2 * group + 1] = random.below(256);
    }
    bytes[0] = 0x20;
    const text = addressFromBytes(bytes, "test");
    assert.equal(text, Address6.fromByteArray([...bytes]).correctForm());
    assert.deepEqual(addressToBytes(text), bytes);
  }
});

const REFUSED: [string, string][] = [
  ["the unspecified address", "000000001f0b"],
  ["an address of this network", "00ffffff1f0b"],
  ["multicast", "e00000011f0b"],
  ["broadcast", "ffffffff1f0b"],
  ["port 0", "0a0000010000"],
  ["the unspecified IPv6 address", "00".repeat(16) + "1f0b"],
  ["IPv6 multicast", "ff02" + "00".repeat(13) + "01" + "1f0b"],
  ["IPv4 mapped into IPv6", "00".repeat(10) + "ffff0a000001" + "1f0b"],
  ["nothing", ""],
  ["one byte", "0a"],
  ["five bytes", "0a00000100"],
];

for (const [what, hex] of REFUSED) {
  Deno.test(`refused as an endpoint: ${what}`, () => {
    assert.throws(() => endpointFromBytes(Uint8Array.fromHex(hex), "test"), /^WireError: test: /);
  });
}
