/**
 * The wire format, byte for byte: hosts of different versions talk to each other, so these bytes
 * change only together with the format number of the envelope.
 */
import assert from "node:assert/strict";
import { Envelope } from "../../../mod/wire/envelope.ts";
import { AES_GCM } from "../../../mod/host/aes_gcm.ts";
import { Keyring } from "../../../mod/wire/keyring.ts";
import { joinParts } from "../../../mod/wire/parts.ts";
import { encodeRefusal } from "../../../mod/wire/refusal.ts";
import { decodeMembers, encodeMembers } from "../../../mod/swim/memory.ts";
import { H1, H2, SAMPLES } from "../../unit/wire/samples.ts";

const GOLDEN: readonly (readonly [string, string])[] = [
  [
    "ping",
    "84011a0001117050000102030405060708090a0b0c0d0e0f50f0f1f2f3f4f5f6f7f8f9fafbfcfdfe" +
    "ff",
  ],
  [
    "indirect-ping",
    "83021affffffff50000102030405060708090a0b0c0d0e0f",
  ],
  [
    "ack",
    "820300",
  ],
  [
    "nack",
    "820419012c",
  ],
  [
    "suspect",
    "84050550000102030405060708090a0b0c0d0e0f50f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
  ],
  [
    "dead",
    "84061b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff50000102030405060708090a" +
    "0b0c0d0e0f",
  ],
  [
    "left",
    "85070650000102030405060708090a0b0c0d0e0f48101112131415161700",
  ],
  [
    "left, forgotten",
    "85070650000102030405060708090a0b0c0d0e0f48101112131415161701",
  ],
  [
    "alive",
    "8a080550000102030405060708090a0b0c0d0e0f48101112131415161762683146c0a864011f0b65" +
    "302e312e30010100",
  ],
  [
    "alive of IPv6",
    "8a081b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f" +
    "73742d74776f5220010db80000000000000000000000021f0c6d312e32322e3333332d72632e3102" +
    "18ff1affffffff",
  ],
  [
    "compare",
    "85098a000550000102030405060708090a0b0c0d0e0f48101112131415161762683146c0a864011f" +
    "0b65302e312e3001010019138848000102030405060744deadbeef",
  ],
  [
    "compared, digests",
    "840a8a000550000102030405060708090a0b0c0d0e0f48101112131415161762683146c0a864011f" +
    "0b65302e312e300101005880000102030405060708090a0b0c0d0e0f101112131415161718191a1b" +
    "1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243" +
    "4445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b" +
    "6c6d6e6f707172737475767778797a7b7c7d7e7f44deadbeef",
  ],
  [
    "compared, everything",
    "840a8a000550000102030405060708090a0b0c0d0e0f48101112131415161762683146c0a864011f" +
    "0b65302e312e30010100858a001b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48" +
    "e0e1e2e3e4e5e6e768686f73742d74776f5220010db80000000000000000000000021f0c6d312e32" +
    "322e3333332d72632e310218ff1affffffff8a011b000001000000000050f0f1f2f3f4f5f6f7f8f9" +
    "fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db80000000000000000000000" +
    "021f0c6d312e32322e3333332d72632e310218ff1affffffff8a021b000001000000000050f0f1f2" +
    "f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db800000000" +
    "00000000000000021f0c6d312e32322e3333332d72632e310218ff1affffffff8a031b0000010000" +
    "00000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220" +
    "010db80000000000000000000000021f0c6d312e32322e3333332d72632e310218ff1affffffff8a" +
    "041b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73" +
    "742d74776f5220010db80000000000000000000000021f0c6d312e32322e3333332d72632e310218" +
    "ff1affffffff44deadbeef",
  ],
  [
    "update",
    "85128a000550000102030405060708090a0b0c0d0e0f48101112131415161762683146c0a864011f" +
    "0b65302e312e30010100420102858a001b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfd" +
    "feff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db80000000000000000000000021f0c6d" +
    "312e32322e3333332d72632e310218ff1affffffff8a011b000001000000000050f0f1f2f3f4f5f6" +
    "f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db80000000000000000" +
    "000000021f0c6d312e32322e3333332d72632e310218ff1affffffff8a021b000001000000000050" +
    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db800" +
    "00000000000000000000021f0c6d312e32322e3333332d72632e310218ff1affffffff8a031b0000" +
    "01000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d7477" +
    "6f5220010db80000000000000000000000021f0c6d312e32322e3333332d72632e310218ff1affff" +
    "ffff8a041b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768" +
    "686f73742d74776f5220010db80000000000000000000000021f0c6d312e32322e3333332d72632e" +
    "310218ff1affffffff44deadbeef",
  ],
  [
    "updated",
    "84138a000550000102030405060708090a0b0c0d0e0f48101112131415161762683146c0a864011f" +
    "0b65302e312e30010100858a001b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48" +
    "e0e1e2e3e4e5e6e768686f73742d74776f5220010db80000000000000000000000021f0c6d312e32" +
    "322e3333332d72632e310218ff1affffffff8a011b000001000000000050f0f1f2f3f4f5f6f7f8f9" +
    "fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db80000000000000000000000" +
    "021f0c6d312e32322e3333332d72632e310218ff1affffffff8a021b000001000000000050f0f1f2" +
    "f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220010db800000000" +
    "00000000000000021f0c6d312e32322e3333332d72632e310218ff1affffffff8a031b0000010000" +
    "00000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73742d74776f5220" +
    "010db80000000000000000000000021f0c6d312e32322e3333332d72632e310218ff1affffffff8a" +
    "041b000001000000000050f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff48e0e1e2e3e4e5e6e768686f73" +
    "742d74776f5220010db80000000000000000000000021f0c6d312e32322e3333332d72632e310218" +
    "ff1affffffff44deadbeef",
  ],
  [
    "reach",
    "840b181850f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff50000102030405060708090a0b0c0d0e0f",
  ],
  [
    "rider-item",
    "820c44deadbeef",
  ],
  [
    "hello",
    "810e",
  ],
  [
    "helloed",
    "830f50000102030405060708090a0b0c0d0e0f481011121314151617",
  ],
  [
    "keys, install",
    "841050000102030405060708090a0b0c0d0e0f015820010101010101010101010101010101010101" +
    "0101010101010101010101010101",
  ],
  [
    "keys, use",
    "841050000102030405060708090a0b0c0d0e0f024401020304",
  ],
  [
    "keys, remove",
    "841050000102030405060708090a0b0c0d0e0f0344a0b0c0d0",
  ],
  [
    "keys answer",
    "831182440102030444a0b0c0d072697420686173206e6f2073756368206b6579",
  ],
  [
    "who",
    "851448a0a1a2a3a4a5a6a750000102030405060708090a0b0c0d0e0f48101112131415161746c0a864011f0b",
  ],
  [
    "who answer",
    "841548a0a1a2a3a4a5a6a750000102030405060708090a0b0c0d0e0f481011121314151617",
  ],
];

for (const [name, hex] of GOLDEN) {
  Deno.test(`${name} is these bytes`, () => {
    assert.equal(SAMPLES.find((sample) => sample.name === name)?.bytes.toHex(), hex);
  });
}

const ACK = joinParts([new Uint8Array([0x82, 3, 0])]);

Deno.test("a plain packet is these bytes", () => {
  const packet = new Envelope("prod", null).seal(ACK);
  assert.equal(packet.toHex(), "010470726f648886d9ed0003820300");
});

/** Sessions are 00 01 02 ... here. */
const KEYS = new Keyring([new Uint8Array(32).fill(1)], {
  ...AES_GCM,
  draw: (count) => Uint8Array.from({ length: count }, (_, index) => index),
});
const TO_H1 = { destination: Uint8Array.fromHex(H1.instance), key: null };

Deno.test("a sealed packet is these bytes", () => {
  const packet = new Envelope("prod", { keys: KEYS, instance: H2.instance }).seal(ACK, TO_H1);
  assert.equal(
    packet.toHex(),
    "020470726f641011121314151617000102030405060700000000cb1dfb4e0fe2c41aea39880a81" +
      "bbfbedb10fb433d6",
  );
});

Deno.test("the answer to a question is these bytes", () => {
  const asker = new Envelope("prod", { keys: KEYS, instance: H2.instance });
  const answerer = new Envelope("prod", { keys: KEYS, instance: H1.instance });
  const asked = answerer.open(asker.ask(ACK, TO_H1).frame);
  assert.equal(
    answerer.answer(ACK, asked).toHex(),
    "020470726f640001020304050607000102030405060700000000cb1dfb4e0fa8695fdc2433f6ed" +
      "b0f25e3b0b52dcbd",
  );
});

Deno.test("a refusal is two bytes outside of any envelope", () => {
  assert.equal(encodeRefusal("other-cluster").toHex(), "0001");
});

Deno.test("the members document is these bytes", () => {
  const document = encodeMembers({ incarnation: 7, members: [H1, H2] });
  const former =
    "830107828350000102030405060708090a0b0c0d0e0f62683146c0a864011f0b8350f0f1f2f3f4f5f6" +
    "f7f8f9fafbfcfdfeff68686f73742d74776f5220010db80000000000000000000000021f0c";
  assert.deepEqual(decodeMembers(Uint8Array.fromHex(former)), decodeMembers(document));
  assert.equal(document.toHex(), `8402${former.slice(4)}4802dd1c7a14257e45`);
});
