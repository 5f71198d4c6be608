/** The envelope: only packets of the same cluster and key, undamaged, are opened. */
import assert from "node:assert/strict";
import { AES_GCM } from "../../../mod/host/aes_gcm.ts";
import { Envelope, EnvelopeError } from "../../../mod/wire/envelope.ts";
import { Keyring } from "../../../mod/wire/keyring.ts";

const PAYLOAD = new TextEncoder().encode("some payload that is longer than one cipher block");

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function ring(...bytes: number[]): Keyring {
  let count = 0;
  const nonce = () => new Uint8Array(12).fill(++count);
  return new Keyring(bytes.map(key), { ...AES_GCM, nonce });
}

const FORMS: [string, () => Envelope][] = [
  ["plain", () => new Envelope("prod", null)],
  ["sealed", () => new Envelope("prod", ring(1))],
];

function reasonOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    assert.ok(error instanceof EnvelopeError);
    return error.reason;
  }
  return "opened";
}

for (const [form, make] of FORMS) {
  Deno.test(`${form}: a payload comes out as it went in`, () => {
    const envelope = make();
    assert.deepEqual(new Uint8Array(envelope.open(envelope.seal(PAYLOAD))), PAYLOAD);
    assert.equal(envelope.seal(PAYLOAD).length, PAYLOAD.length + envelope.overheadBytes);
    assert.equal(envelope.open(envelope.seal(new Uint8Array())).length, 0);
  });

  Deno.test(`${form}: no single flipped bit goes unnoticed`, () => {
    const envelope = make();
    const sealed = envelope.seal(PAYLOAD);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = sealed.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(reasonOf(() => envelope.open(damaged)), "opened", `bit ${bit}`);
    }
  });

  Deno.test(`${form}: no shortened or lengthened packet is opened`, () => {
    const envelope = make();
    const sealed = envelope.seal(PAYLOAD);
    for (let length = 0; length < sealed.length; length++) {
      assert.notEqual(reasonOf(() => envelope.open(sealed.subarray(0, length))), "opened");
    }
    assert.notEqual(reasonOf(() => envelope.open(new Uint8Array([...sealed, 0]))), "opened");
  });
}

Deno.test("another label is another cluster, with and without keys", () => {
  for (const keys of [null, ring(1)]) {
    const sealed = new Envelope("prod", keys).seal(PAYLOAD);
    for (const label of ["", "pro", "prod2", "test"]) {
      assert.equal(reasonOf(() => new Envelope(label, keys).open(sealed)), "other-cluster");
    }
  }
});

Deno.test("the label is bound to the ciphertext", () => {
  const sealed = new Envelope("aaaa", ring(1)).seal(PAYLOAD);
  sealed.set(new TextEncoder().encode("bbbb"), 2);
  assert.equal(reasonOf(() => new Envelope("bbbb", ring(1)).open(sealed)), "other-key");
});

Deno.test("plain and sealed hosts do not understand each other, and say why", () => {
  const plain = new Envelope("prod", null);
  const sealed = new Envelope("prod", ring(1));
  assert.equal(reasonOf(() => sealed.open(plain.seal(PAYLOAD))), "other-key");
  assert.equal(reasonOf(() => plain.open(sealed.seal(PAYLOAD))), "other-key");
  assert.equal(reasonOf(() => plain.open(new Uint8Array([9, 9, 9]))), "malformed");
});

Deno.test("the first key seals, any key opens", () => {
  const before = new Envelope("prod", ring(1));
  const between = new Envelope("prod", ring(2, 1));
  const after = new Envelope("prod", ring(2));
  assert.deepEqual(new Uint8Array(between.open(before.seal(PAYLOAD))), PAYLOAD);
  assert.deepEqual(new Uint8Array(after.open(between.seal(PAYLOAD))), PAYLOAD);
  assert.equal(reasonOf(() => before.open(between.seal(PAYLOAD))), "other-key");
});

Deno.test("each sealed packet has the next nonce", () => {
  const envelope = new Envelope("", ring(1));
  assert.notDeepEqual(envelope.seal(PAYLOAD), envelope.seal(PAYLOAD));
});

Deno.test("another implementation of AES-256-GCM opens a sealed packet", async () => {
  const sealed = new Envelope("prod", ring(1)).seal(PAYLOAD);
  const headerLength = 2 + "prod".length;
  const imported = await crypto.subtle.importKey(
    "raw",
    new Uint8Array(32).fill(1),
    "AES-GCM",
    false,
    [
      "decrypt",
    ],
  );
  const algorithm = {
    name: "AES-GCM",
    iv: sealed.subarray(headerLength, headerLength + 12),
    additionalData: sealed.subarray(0, headerLength),
  };
  const body = sealed.subarray(headerLength + 12);
  const opened = await crypto.subtle.decrypt(algorithm, imported, body);
  assert.deepEqual(new Uint8Array(opened), PAYLOAD);
});
