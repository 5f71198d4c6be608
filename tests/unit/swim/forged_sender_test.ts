/** What a host sends to somebody who never asked, because a packet bears their address: never much more than came in. */
import assert from "node:assert/strict";
import { PACKET_BYTES_MAX } from "../../../mod/base/limits.ts";
import { ANSWERS_MAX } from "../../../mod/swim/post.ts";
import { RELAYS_PER_ASKER_MAX } from "../../../mod/swim/relays.ts";
import {
  encodeAlive,
  encodeDead,
  encodeLeft,
  encodeSuspect,
} from "../../../mod/wire/news_messages.ts";
import { joinParts } from "../../../mod/wire/parts.ts";
import { encodeIndirectPing, encodePing } from "../../../mod/wire/probe_messages.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, NOBODY] = [peer(1), peer(2), peer(99)];
const VICTIM = "10.9.9.9:53";

/** IPv4 and UDP around each datagram. */
const HEADER_BYTES = 28;

/** The answer to a ping of somebody who is held dead tells them so: twice the ping. */
const FACTOR_MAX = 2.5;

/** As many as fit into one packet. */
function filled(message: (index: number) => Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let bytes = 100; // more than the envelope
  for (let index = 0;; index++) {
    const next = message(index);
    bytes += next.length + 2;
    if (bytes > PACKET_BYTES_MAX || messages.length === 100) return messages;
    messages.push(next);
  }
}

/** A host with a lot to tell, and one dead member. */
function talkative(): Stage {
  const stage = Stage.among(2, 3, 4, 5, 6, 7);
  stage.packet(TWO.endpoint, encodeDead(10, TWO.id, peer(7).id));
  stage.quieten();
  for (let item = 0; item < 60; item++) {
    stage.swim.gossip(`item ${item}`, 1, new Uint8Array(200).fill(item));
  }
  return stage;
}

const FORGERIES: readonly [string, Uint8Array[]][] = [
  ["a ping", [encodePing(5, ONE.id, NOBODY.id)]],
  ["a ping in the name of a member", [encodePing(5, ONE.id, TWO.id)]],
  ["a ping in the name of a dead member", [encodePing(5, ONE.id, peer(7).id)]],
  ["a packet full of pings", filled((index) => encodePing(index, ONE.id, TWO.id))],
  ["a ping to be passed on", [encodeIndirectPing(5, TWO.id)]],
  ["a ping to be passed on to nobody", [encodeIndirectPing(5, NOBODY.id)]],
  ["a packet full of such pings", filled((index) => encodeIndirectPing(index, NOBODY.id))],
  ["an old suspicion", [encodeSuspect(1, ONE.id, TWO.id)]],
  ["a packet full of old suspicions", filled(() => encodeSuspect(1, ONE.id, TWO.id))],
  ["a packet full of old deaths", filled(() => encodeDead(1, TWO.id, ONE.id))],
  ["an old goodbye", [encodeLeft(1, ONE.id, TWO.id, false)]],
  [
    "a packet full of what is outdated",
    filled((index) => encodeAlive(peer(2 + index % 5, { incarnation: 1, endpoint: VICTIM }))),
  ],
];

for (const [what, messages] of FORGERIES) {
  Deno.test(`${what} does not send more than ${FACTOR_MAX} times its bytes to its forged sender`, () => {
    const stage = talkative();
    stage.take();
    stage.packet(VICTIM, ...messages);
    const atOnce = stage.take();
    stage.runFor(5_000, (packet) => stage.ack(packet));
    const toVictim = [...atOnce, ...stage.take()].flatMap((action) =>
      action.kind === "send" && action.to === VICTIM ? [action.bytes.length + HEADER_BYTES] : []
    );
    const bytesIn = stage.seal(joinParts(messages)).length + HEADER_BYTES;
    const bytesOut = toVictim.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(bytesOut <= FACTOR_MAX * bytesIn, `${bytesIn} bytes in, ${bytesOut} out`);
  });
}

Deno.test("one packet is answered by few, whatever is in it", () => {
  const stage = talkative();
  stage.take();
  stage.packet(peer(3).endpoint, ...filled((index) => encodePing(index, ONE.id, peer(3).id)));
  const answers = stage.take().filter((action) =>
    action.kind === "send" && action.to === peer(3).endpoint
  );
  assert.ok(answers.length <= ANSWERS_MAX + 1, `${answers.length}`); // and one of gossip, which is for members anyway
});

Deno.test("one packet makes a host ping others a few times, however many it asks for", () => {
  const stage = talkative();
  stage.take();
  stage.packet(VICTIM, ...filled((index) => encodeIndirectPing(index, TWO.id)));
  const pings = stage.sentMessages("ping").filter(({ target }) => target === TWO.id);
  assert.equal(pings.length, RELAYS_PER_ASKER_MAX);
});

Deno.test("a member still gets gossip with the answer to its ping", () => {
  const stage = talkative();
  stage.take();
  stage.packet(peer(3).endpoint, encodePing(5, ONE.id, peer(3).id));
  const [answer] = stage.sent().filter(({ to }) => to === peer(3).endpoint);
  assert.deepEqual(answer?.messages[0], { kind: "ack", sequence: 5 });
  assert.ok((answer?.messages.length ?? 0) > 1);
});
