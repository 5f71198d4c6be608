/**
 * Hostile datagrams on an underlay of IPv6: random bytes, extension headers, foreign addresses, truncated and giant ones, from
 * members, their other ports, their neighbours' addresses and strangers. Taken is what a slow, plain reading of the rules takes.
 */
import assert from "node:assert/strict";
import { parseIpv6 } from "../../mod/address/ipv6.ts";
import { Random } from "../../mod/base/random.ts";
import { DROP } from "../../mod/dataplane/drop_reason.ts";
import {
  ForwardingTable,
  type PeerEntry,
  underlayWords,
} from "../../mod/dataplane/forwarding_table.ts";
import { IcmpAnswers } from "../../mod/dataplane/icmp_answer.ts";
import { packet } from "../unit/dataplane/packets.ts";

const DATAGRAMS = 200_000;
const SEED = 47;
const BUFFER_BYTES = 2_048;
const OFFSET = 64;
/** Hop-by-hop options, routing, fragment, authentication, no next header, destination options (RFC 8200). */
const EXTENSIONS = [0, 43, 44, 51, 59, 60];

const PEERS = Array.from({ length: 50 }, (_, index): PeerEntry => ({
  hostId: `h${index}`,
  slot: index,
  subnet: `fd00:0:0:${(index + 16).toString(16)}::/64`,
  address: `fd00:100::${(index % 3 + 1).toString(16)}:${(index + 1).toString(16)}`,
  port: index % 5 === 0 ? 9_000 + index : 8_285,
  mtu: 1_452,
  silent: index % 7 === 0,
}));

const random = new Random(SEED);
const buffer = new Uint8Array(BUFFER_BYTES + OFFSET);

function pick<Item>(items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  assert(item !== undefined);
  return item;
}

interface Datagram {
  readonly length: number;
  readonly words: readonly number[];
  readonly port: number;
}

/** Writes one into the buffer. */
function next(): Datagram {
  const peer = pick(PEERS);
  const payload = Array.from({ length: random.below(60) }, () => random.below(256));
  const source = peer.subnet.replace("::/64", "::9");
  const bytes = packet({ source, destination: "fd00:0:0:7::3", payload });
  buffer.fill(random.below(256), OFFSET - 8, OFFSET + 128);
  buffer.set(bytes, OFFSET);
  let { length } = bytes;
  let words = underlayWords(peer.address);
  let { port } = peer;
  switch (random.below(10)) {
    case 0:
      length = random.below(200);
      for (let at = 0; at < length; at++) buffer[OFFSET + at] = random.below(256);
      break;
    case 1:
      length = random.below(length + 1); // truncated
      break;
    case 2:
      length += 1 + random.below(BUFFER_BYTES - length); // giant, or with something behind it
      break;
    case 3:
      buffer[OFFSET + random.below(40)] = random.below(256); // one wrong byte
      break;
    case 4:
      buffer[OFFSET + 6] = pick(EXTENSIONS);
      break;
    case 5:
      words = underlayWords(pick(PEERS).address); // another member
      break;
    case 6:
      port = random.below(65_536);
      break;
    case 7: {
      const at = random.below(4); // an address like the member's
      words = words.map((word, index) =>
        index === at ? (word ^ (1 << random.below(31))) >>> 0 : word
      );
      break;
    }
    case 8:
      words = Array.from({ length: 4 }, () => random.uint32());
      break;
    default: // as it should be
  }
  return { length, words, port };
}

/** By the letter of the rules, with text and big numbers. */
function isTaken({ length, words, port }: Datagram): boolean {
  const bytes = buffer.subarray(OFFSET, OFFSET + length);
  const hex = bytes.toHex();
  if (!hex.startsWith("6") || length < 40 || bytes[7] === 0) return false;
  if (Number(`0x${hex.slice(8, 12)}`) + 40 !== length) return false;
  const sender = PEERS.find(({ subnet }) =>
    parseIpv6(subnet.replace("/64", "")).toString(16).padStart(32, "0").slice(0, 16) ===
      hex.slice(16, 32)
  );
  if (sender === undefined || sender.port !== port) return false;
  const address = words.map((word) => word.toString(16).padStart(8, "0")).join("");
  return parseIpv6(sender.address).toString(16).padStart(32, "0") === address &&
    hex.slice(48, 64) === "fd00000000000007";
}

Deno.test("on an underlay of IPv6 exactly those datagrams are taken that members may send", () => {
  const table = new ForwardingTable({ subnet: "fd00:0:0:7::/64", peers: PEERS });
  const answers = new IcmpAnswers();
  const counts = new Map<number, number>();
  let taken = 0;
  for (let count = 0; count < DATAGRAMS; count++) {
    const datagram = next();
    const { length, words, port } = datagram;
    const [a = 0, b = 0, c = 0, d = 0] = words;
    const verdict = table.incoming(buffer, OFFSET, length, a, port, b, c, d);
    if (verdict >= 0) taken++;
    else counts.set(-verdict, (counts.get(-verdict) ?? 0) + 1);
    if (count % 4 === 0) {
      const bytes = () => buffer.subarray(OFFSET, OFFSET + length).toHex();
      assert.equal(verdict >= 0, isTaken(datagram), `${count}: ${bytes()} gives ${verdict}`);
    }
    const sent = table.outgoing(buffer, OFFSET, length);
    assert.ok(sent < PEERS.length);
    if (sent < 0 && length >= 40 && count % 100 === 0) {
      const answer = answers.unreachable(buffer, OFFSET, length, count);
      assert.ok(answer === null || answer.length <= 1_280);
    }
  }
  assert.ok(taken > DATAGRAMS / 10, `${taken} were taken`);
  const names = ["truncated", "malformed", "unknownSender", "foreignSource"] as const;
  for (const name of names) {
    assert.ok((counts.get(DROP[name]) ?? 0) > 1_000, `${name}: ${counts.get(DROP[name])}`);
  }
});
