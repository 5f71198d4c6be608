/** The envelope: only packets of the same cluster and key, undamaged, for this process, and once, are opened. */
import assert from "node:assert/strict";
import { AES_GCM } from "../../../mod/host/aes_gcm.ts";
import {
  DESTINATION_BYTES,
  Envelope,
  EnvelopeError,
  type Path,
  type SealedPath,
  type Sealing,
  UNBOUND,
} from "../../../mod/wire/envelope.ts";
import { Keyring } from "../../../mod/wire/keyring.ts";
import { Sessions } from "../../../mod/wire/sessions.ts";

const PAYLOAD = new TextEncoder().encode("some payload that is longer than one cipher block");

/** Instances of two hosts. */
const A = "a1".repeat(8);
const B = "b2".repeat(8);

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function ring(...bytes: number[]): Keyring {
  return new Keyring(bytes.map(key), AES_GCM);
}

/** A host's envelope in the cluster `prod`. */
function host(instance: string, keys: Keyring, more: Partial<Sealing> = {}): Envelope {
  return new Envelope("prod", { keys, instance, ...more });
}

function to(instance: string): SealedPath {
  return { destination: Uint8Array.fromHex(instance), key: null };
}

function reasonOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    assert.ok(error instanceof EnvelopeError);
    return error.reason;
  }
  return "opened";
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** How each form is sealed, and what opens it; made anew for each packet, since each is opened once. */
const FORMS: [string, Path, () => Envelope][] = [
  ["plain", "plain", () => new Envelope("prod", null)],
  ["sealed", to(B), () => host(B, ring(1))],
];

for (const [form, path, make] of FORMS) {
  Deno.test(`${form}: a payload comes out as it went in`, () => {
    const envelope = make();
    for (const payload of [PAYLOAD, new Uint8Array()]) {
      const opened = envelope.open(envelope.seal(payload, path));
      assert.equal(text(opened.payload), text(payload));
      assert.equal(opened.isBound, true);
    }
    assert.equal(envelope.seal(PAYLOAD, path).length, PAYLOAD.length + envelope.overheadBytes);
  });

  Deno.test(`${form}: no single flipped bit goes unnoticed`, () => {
    const envelope = make();
    const sealed = envelope.seal(PAYLOAD, path);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = sealed.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(reasonOf(() => envelope.open(damaged)), "opened", `bit ${bit}`);
    }
    assert.equal(reasonOf(() => envelope.open(sealed)), "opened", "forgeries shut nobody out");
  });

  Deno.test(`${form}: no shortened or lengthened packet is opened`, () => {
    const envelope = make();
    const sealed = envelope.seal(PAYLOAD, path);
    for (let length = 0; length < sealed.length; length++) {
      assert.notEqual(reasonOf(() => envelope.open(sealed.subarray(0, length))), "opened");
    }
    assert.notEqual(reasonOf(() => envelope.open(new Uint8Array([...sealed, 0]))), "opened");
  });
}

Deno.test("another label is another cluster, with and without keys", () => {
  for (const sealing of [null, { keys: ring(1), instance: B }]) {
    const sealed = new Envelope("prod", sealing).seal(PAYLOAD, sealing === null ? "plain" : to(B));
    for (const label of ["", "pro", "prod2", "test"]) {
      assert.equal(reasonOf(() => new Envelope(label, sealing).open(sealed)), "other-cluster");
    }
  }
});

Deno.test("label and destination are bound to the ciphertext", () => {
  const sealed = new Envelope("aaaa", { keys: ring(1), instance: A }).seal(PAYLOAD, to(A));
  const relabelled = sealed.slice();
  relabelled.set(new TextEncoder().encode("bbbb"), 2);
  const other = new Envelope("bbbb", { keys: ring(1), instance: A });
  assert.equal(reasonOf(() => other.open(relabelled)), "other-key");
  const redirected = sealed.slice();
  redirected.set(Uint8Array.fromHex(B), 2 + "aaaa".length);
  const stranger = new Envelope("aaaa", { keys: ring(1), instance: B });
  assert.equal(reasonOf(() => stranger.open(redirected)), "other-key");
});

Deno.test("plain and sealed hosts do not understand each other, and say why", () => {
  const plain = new Envelope("prod", null);
  const sealed = host(A, ring(1));
  assert.equal(reasonOf(() => sealed.open(plain.seal(PAYLOAD))), "other-key");
  assert.equal(reasonOf(() => plain.open(sealed.seal(PAYLOAD, to(B)))), "other-key");
  assert.equal(reasonOf(() => plain.open(new Uint8Array([9, 9, 9]))), "malformed");
});

Deno.test("a host that allows plain gossip opens both forms and answers in the one it was asked in", () => {
  const asker = host(A, ring(1));
  const lenient = host(B, ring(1), { plainGossip: "allow" });
  const plain = lenient.open(new Envelope("prod", null).seal(PAYLOAD));
  assert.equal(plain.path, "plain");
  assert.equal(
    text(new Envelope("prod", null).open(lenient.seal(PAYLOAD, plain.path)).payload),
    text(PAYLOAD),
  );
  const sealed = lenient.open(asker.seal(PAYLOAD, to(B)));
  assert.equal(text(asker.open(lenient.seal(PAYLOAD, sealed.path)).payload), text(PAYLOAD));
});

Deno.test("a host that refuses plain gossip cannot send any by mistake", () => {
  assert.throws(() => host(A, ring(1)).seal(PAYLOAD), /sends none/);
});

Deno.test("the first key seals, any key opens, and the answer is sealed with the asker's", () => {
  const before = host(A, ring(1));
  const between = host(B, ring(2, 1));
  const opened = between.open(before.seal(PAYLOAD, to(B)));
  assert.equal(text(opened.payload), text(PAYLOAD));
  assert.equal(text(before.open(between.seal(PAYLOAD, opened.path)).payload), text(PAYLOAD));
  assert.equal(reasonOf(() => before.open(between.seal(PAYLOAD, to(A)))), "other-key");
  assert.equal(text(host(A, ring(2)).open(between.seal(PAYLOAD, to(A))).payload), text(PAYLOAD));
});

Deno.test("the key that opened a sender's last packet is tried first", () => {
  const tried: (number | undefined)[] = [];
  const aead = {
    ...AES_GCM,
    open: (...args: Parameters<typeof AES_GCM.open>) => {
      tried.push(args[0][0]);
      return AES_GCM.open(...args);
    },
  };
  const receiver = host(B, new Keyring([1, 2, 3].map(key), aead));
  const sender = host(A, ring(3));
  receiver.open(sender.seal(PAYLOAD, to(B)));
  receiver.open(sender.seal(PAYLOAD, to(B)));
  assert.deepEqual(tried, [1, 2, 3, 3]);
});

Deno.test("a packet is opened once, whatever else came before or after", () => {
  const [sender, receiver] = [host(A, ring(1)), host(B, ring(1))];
  const packets = Array.from({ length: 50 }, () => sender.seal(PAYLOAD, to(B)));
  for (const packet of [...packets.slice(25), ...packets.slice(0, 25)]) receiver.open(packet);
  for (const packet of packets) assert.equal(reasonOf(() => receiver.open(packet)), "replayed");
});

Deno.test("a packet is opened by the process that it was sealed for, and by no other", () => {
  const sender = host(A, ring(1));
  const packet = sender.seal(PAYLOAD, to(B));
  assert.equal(reasonOf(() => host("c3".repeat(8), ring(1)).open(packet)), "other-instance");
  assert.equal(reasonOf(() => sender.open(packet)), "other-instance", "reflected");
  assert.equal(reasonOf(() => host(B, ring(1)).open(packet)), "opened");
});

Deno.test("what is sealed for whoever opens it says so, and is not remembered", () => {
  const sessions = new Sessions();
  const receiver = host(B, ring(1), { sessions });
  const packet = host(A, ring(1)).seal(PAYLOAD, { destination: UNBOUND, key: null });
  assert.equal(receiver.open(packet).isBound, false);
  assert.equal(receiver.open(packet).isBound, false);
  assert.equal(sessions.size, 0);
});

Deno.test("nothing long is opened for whoever seals it for anybody", () => {
  let attempts = 0;
  const open: typeof AES_GCM.open = (...parts) => {
    attempts++;
    return AES_GCM.open(...parts);
  };
  const receiver = host(B, new Keyring([key(1)], { ...AES_GCM, open }));
  const path = { destination: UNBOUND, key: null };
  const reasons = [64, 65, 4_000_000].map((bytes) => {
    const packet = host(A, ring(2)).seal(new Uint8Array(bytes), path);
    return reasonOf(() => receiver.open(packet));
  });
  assert.deepEqual(reasons, ["other-key", "malformed", "malformed"]);
  assert.equal(attempts, 1);
});

Deno.test("an answer belongs to one question of one process", () => {
  const [asker, answerer] = [host(A, ring(1)), host(B, ring(1))];
  const one = asker.ask(PAYLOAD, to(B));
  const other = asker.ask(PAYLOAD, to(B));
  const answer = answerer.answer(PAYLOAD, answerer.open(one.frame));
  answerer.open(other.frame);
  assert.equal(text(asker.openAnswer(answer, one.question)), text(PAYLOAD));
  assert.equal(reasonOf(() => asker.openAnswer(answer, other.question)), "other-key");
  // Neither is it good as a packet, or to another process that asked.
  assert.equal(reasonOf(() => asker.open(answer)), "other-key");
  const restarted = host(A, ring(1));
  const again = restarted.ask(PAYLOAD, to(B));
  assert.equal(reasonOf(() => restarted.openAnswer(answer, again.question)), "other-instance");
});

Deno.test("a sealed question has no plain answer, and a plain one no sealed", () => {
  const asker = host(A, ring(1), { plainGossip: "allow" });
  const plain = new Envelope("prod", null);
  const sealed = asker.ask(PAYLOAD, to(B));
  assert.equal(reasonOf(() => asker.openAnswer(plain.seal(PAYLOAD), sealed.question)), "other-key");
  const clear = asker.ask(PAYLOAD, "plain");
  const answer = host(B, ring(1)).seal(PAYLOAD, to(A));
  assert.equal(reasonOf(() => asker.openAnswer(answer, clear.question)), "malformed");
  assert.equal(text(asker.openAnswer(plain.seal(PAYLOAD), clear.question)), text(PAYLOAD));
});

Deno.test("a process knows its own packets", () => {
  const [one, other] = [host(A, ring(1)), host(B, ring(1))];
  const hello = one.ask(PAYLOAD, { destination: UNBOUND, key: null }).frame;
  assert.equal(one.isOwn(one.open(hello)), true);
  assert.equal(other.isOwn(other.open(hello)), false);
});

Deno.test("only genuine packets for this process are remembered", () => {
  const sessions = new Sessions();
  const receiver = host(B, ring(1), { sessions });
  const packet = host(A, ring(1)).seal(PAYLOAD, to(B));
  const forged = packet.slice();
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  const strange = host(A, ring(9)).seal(PAYLOAD, to(B));
  const elsewhere = host(A, ring(1)).seal(PAYLOAD, to(A));
  for (const bytes of [forged, strange, elsewhere]) reasonOf(() => receiver.open(bytes));
  assert.equal(sessions.size, 0);
  receiver.open(packet);
  assert.equal(sessions.size, 1);
});

Deno.test("a session that had to be forgotten stays shut; a renewed one is heard again", () => {
  const receiver = host(B, ring(1), { sessions: new Sessions(1) });
  const sender = host(A, ring(1));
  const held = sender.ask(PAYLOAD, to(B)).frame;
  receiver.open(sender.ask(PAYLOAD, to(B)).frame);
  receiver.open(host("c3".repeat(8), ring(1)).seal(PAYLOAD, to(B)));
  assert.equal(reasonOf(() => receiver.open(held)), "replayed");
  assert.equal(reasonOf(() => receiver.open(sender.ask(PAYLOAD, to(B)).frame)), "replayed");
  sender.renewSession();
  assert.equal(reasonOf(() => receiver.open(sender.ask(PAYLOAD, to(B)).frame)), "opened");
});

Deno.test("no two packets of a process have the same nonce", () => {
  const sender = host(A, ring(1));
  const at = 2 + "prod".length + DESTINATION_BYTES;
  const nonceOf = (packet: Uint8Array) => packet.subarray(at, at + 12).toHex();
  const nonces = new Set<string>();
  for (let count = 0; count < 1000; count++) {
    nonces.add(nonceOf(sender.seal(PAYLOAD, to(B))));
    nonces.add(nonceOf(sender.ask(PAYLOAD, to(B)).frame));
  }
  assert.equal(nonces.size, 2000);
});

Deno.test("another implementation of AES-256-GCM opens a sealed packet", async () => {
  const sealed = host(A, ring(1)).seal(PAYLOAD, to(B));
  const nonceAt = 2 + "prod".length + DESTINATION_BYTES;
  const bytes = new Uint8Array(32).fill(1);
  const imported = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["decrypt"]);
  const algorithm = {
    name: "AES-GCM",
    iv: sealed.subarray(nonceAt, nonceAt + 12),
    additionalData: sealed.subarray(0, nonceAt),
  };
  const body = sealed.subarray(nonceAt + 12);
  const opened = await crypto.subtle.decrypt(algorithm, imported, body);
  assert.deepEqual(new Uint8Array(opened), PAYLOAD);
});
