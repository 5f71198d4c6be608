/** Who runs under this host's identity: asked itself, several times, and never believed for what others say. */
import assert from "node:assert/strict";
import { sha256Hex } from "../../../mod/base/hash.ts";
import { CONFIRMATIONS } from "../../../mod/swim/identity_watch.ts";
import type { SwimOptions } from "../../../mod/swim/swim.ts";
import { encodeRefusal } from "../../../mod/wire/refusal.ts";
import { decodeMessage } from "../../../mod/wire/messages.ts";
import { encodeAlive } from "../../../mod/wire/news_messages.ts";
import { encodeWho, encodeWhoAnswer, type Who } from "../../../mod/wire/who_messages.ts";
import { peer, Stage } from "./stage.ts";

const OWN = peer(1);
/** Instances of other processes, by whether this host must give up its identity to them. */
const instances = Array.from(
  { length: 64 },
  (_, index) => (index + 16).toString(16).padStart(16, "0"),
);
const STRONGER = instances.find((one) => sha256Hex(one) < sha256Hex(OWN.instance)) ?? "";
const WEAKER = instances.find((one) => sha256Hex(one) > sha256Hex(OWN.instance)) ?? "";
const THERE = "10.0.0.77:7947";
const ROUND_MS = 1_000;

interface Asked {
  readonly id: number;
  readonly to: string;
  readonly who: Who;
}

/** A host that lives on a stage, with the questions that it asks. */
class Watched {
  readonly stage: Stage;

  constructor(changes: Partial<SwimOptions> = {}) {
    this.stage = new Stage(changes);
    this.stage.packet(peer(2).endpoint, encodeAlive(peer(2)));
    this.stage.take();
  }

  /** Host 2 passes on that this host is there, as that process. */
  hear(instance: string, endpoint = THERE): void {
    const record = { ...OWN, instance, endpoint, incarnation: 50 };
    this.stage.packet(peer(2).endpoint, encodeAlive(record));
  }

  asked(): Asked[] {
    return this.stage.take().flatMap((action) => {
      if (action.kind !== "request") return [];
      const message = decodeMessage(this.stage.open(action.bytes));
      return message.kind === "who" ? [{ id: action.id, to: action.to, who: message }] : [];
    });
  }

  answer({ id, who }: Asked, changes: Partial<Who> = {}): void {
    const bytes = this.stage.seal(encodeWhoAnswer({ ...who, ...changes }));
    this.stage.step({ kind: "answer", id, bytes });
  }

  /** The process there answers everything that it is asked for a while; how often. */
  meets(instance: string, changes: Partial<Who> = {}, rounds = 10): number {
    let answers = 0;
    for (let round = 0; round < rounds; round++) {
      for (const asked of this.asked()) {
        answers++;
        this.answer(asked, { instance, ...changes });
      }
      this.stage.runFor(ROUND_MS);
    }
    return answers;
  }

  words(): string[] {
    return this.stage.eventWords().filter((word) => /identity|duplicated/.test(word));
  }
}

Deno.test("a process under our identity is asked where it is said to be, three times, each with a nonce of its own", () => {
  const host = new Watched();
  host.hear(STRONGER);
  const nonces = new Set<string>();
  for (let count = 1; count <= CONFIRMATIONS; count++) {
    const [asked, ...more] = host.asked();
    assert(asked !== undefined);
    assert.deepEqual(more, []);
    assert.equal(asked.to, THERE);
    assert.deepEqual([asked.who.id, asked.who.instance, asked.who.endpoint], [
      OWN.id,
      OWN.instance,
      OWN.endpoint,
    ]);
    nonces.add(asked.who.nonce);
    assert.deepEqual(host.words(), []);
    host.answer(asked, { instance: STRONGER });
    host.stage.runFor(ROUND_MS);
  }
  assert.equal(nonces.size, CONFIRMATIONS);
  assert.deepEqual(host.words(), ["identity-lost"]);
  assert.equal(host.meets(STRONGER), 0); // that was all
});

Deno.test("the one of the two whose instance has the lower hash stays, and says so once", () => {
  const host = new Watched();
  host.hear(WEAKER);
  assert.equal(host.meets(WEAKER), CONFIRMATIONS);
  assert.deepEqual(host.words(), ["host-duplicated"]);
});

Deno.test("who asks us under our identity is answered, and asked in turn", () => {
  const host = new Watched();
  const nonce = "0011223344556677";
  const who = { nonce, id: OWN.id, instance: STRONGER, endpoint: THERE };
  host.stage.step({
    kind: "request",
    id: 5,
    from: "10.0.0.77:40000",
    bytes: host.stage.seal(encodeWho(who)),
  });
  const actions = host.stage.take();
  const [answer] = actions.filter((action) => action.kind === "answer");
  assert(answer?.kind === "answer");
  assert.deepEqual(decodeMessage(host.stage.open(answer.bytes)), {
    kind: "who-answer",
    nonce,
    id: OWN.id,
    instance: OWN.instance,
  });
  assert(actions.some((action) => action.kind === "request" && action.to === THERE));
});

Deno.test("a question for another identity is refused, and nobody is asked", () => {
  const host = new Watched();
  const who = { nonce: "00".repeat(8), id: peer(2).id, instance: STRONGER, endpoint: THERE };
  host.stage.step({ kind: "request", id: 5, from: THERE, bytes: host.stage.seal(encodeWho(who)) });
  const [answer] = host.stage.take().filter((action) => action.kind === "answer");
  assert(answer?.kind === "answer");
  assert.deepEqual(answer.bytes, encodeRefusal("other-host"));
  host.stage.runFor(ROUND_MS);
  assert.deepEqual(host.asked(), []);
});

Deno.test("answers with another nonce, another identity or our own instance change nothing", () => {
  for (
    const changes of [
      { nonce: "00".repeat(8) },
      { id: peer(2).id },
      { instance: OWN.instance }, // this host itself, behind another address
    ]
  ) {
    const host = new Watched();
    host.hear(STRONGER);
    assert.equal(host.meets(STRONGER, changes), 1);
    assert.deepEqual(host.words(), []);
  }
});

Deno.test("three different processes at one address are no confirmation of any of them", () => {
  const host = new Watched();
  host.hear(STRONGER);
  for (const instance of [STRONGER, WEAKER, STRONGER, WEAKER]) {
    assert.deepEqual(host.words(), []);
    host.meets(instance, {}, 1);
  }
  assert.deepEqual(host.words(), []);
});

Deno.test("news of an earlier process of this host are asked about a few times, and then rest", () => {
  const host = new Watched();
  host.hear(STRONGER);
  let asked = 0;
  for (let second = 0; second < 10; second++) {
    for (const { id } of host.asked()) {
      asked++;
      host.stage.step({ kind: "failed", id, reason: "connection refused" });
    }
    host.hear(STRONGER);
    host.stage.runFor(ROUND_MS);
  }
  assert.equal(asked, 3);
  assert.deepEqual(host.words(), []);
});

Deno.test("our own words, and a process that is said to be where we are, are nobody else", () => {
  const host = new Watched();
  host.hear(OWN.instance);
  host.hear(STRONGER, OWN.endpoint);
  host.stage.runFor(ROUND_MS);
  assert.deepEqual(host.asked(), []);
});

Deno.test("however many addresses are named, few are asked", () => {
  const host = new Watched();
  for (let number = 0; number < 200; number++) host.hear(STRONGER, `10.9.${number}.1:7947`);
  host.stage.runFor(ROUND_MS);
  assert(host.asked().length <= 8);
});

Deno.test("an identity that was just drawn is kept for a while", () => {
  const host = new Watched({ identityKeptUntilMs: 60_000 });
  host.hear(STRONGER);
  assert.equal(host.meets(STRONGER), CONFIRMATIONS);
  assert.deepEqual(host.words(), ["host-duplicated"]);
  host.stage.runFor(60_000);
  host.hear(STRONGER);
  assert.equal(host.meets(STRONGER), CONFIRMATIONS);
  assert.deepEqual(host.words(), ["identity-lost"]);
});

Deno.test("a host that has left gives nothing up any more", () => {
  const host = new Watched();
  host.hear(STRONGER);
  host.stage.step({ kind: "command", command: { kind: "leave" } });
  host.meets(STRONGER);
  assert.deepEqual(host.words(), []);
});
