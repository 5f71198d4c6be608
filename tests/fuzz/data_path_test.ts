/**
 * One million hostile datagrams for the UDP backend's data path: random bytes, packets that are right in all but one thing,
 * from members, their other ports and strangers. What is taken is exactly what a slow, plain reading of the rules takes.
 */
import assert from "node:assert/strict";
import { parseAddress } from "../../mod/address/parse.ts";
import { Random } from "../../mod/base/random.ts";
import { DROP_NAMES } from "../../mod/dataplane/drop_reason.ts";
import { ForwardingTable, type PeerEntry } from "../../mod/dataplane/forwarding_table.ts";
import { IcmpAnswers } from "../../mod/dataplane/icmp_answer.ts";
import { packet } from "../unit/dataplane/packets.ts";

const DATAGRAMS = 1_000_000;
const SEED = 6;
/** A giant is cut by the socket to what a buffer takes; its headers are what is looked at. */
const BUFFER_BYTES = 2_048;
const OFFSET = 64;

const OWN = { subnet: "10.244.7.0/24", ipv6Subnet: "fd00:0:0:7::/64" };
const PEERS = Array.from({ length: 50 }, (_, index): PeerEntry => ({
  hostId: `h${index}`,
  slot: index,
  subnet: `10.244.${index + 10}.0/24`,
  ipv6Subnet: `fd00:0:0:${(index + 16).toString(16)}::/64`,
  address: `192.168.100.${index + 10}`,
  port: index % 5 === 0 ? 9_000 + index : 8_285,
  mtu: 1_472,
  silent: index % 7 === 0,
}));

const random = new Random(SEED);
const buffer = new Uint8Array(BUFFER_BYTES + OFFSET);

function pick<Item>(items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  assert(item !== undefined);
  return item;
}

/** Templates: from each peer to us, in both families. */
const TEMPLATES = PEERS.flatMap((peer, index) => {
  const payload = Array.from({ length: index }, () => random.below(256));
  return [
    packet({ source: peer.subnet.replace(".0/24", ".9"), destination: "10.244.7.3", payload }),
    packet({
      source: (peer.ipv6Subnet ?? "").replace("::/64", "::9"),
      destination: "fd00:0:0:7::3",
      payload,
    }),
  ].map((bytes) => ({ bytes, peer }));
});

interface Datagram {
  readonly length: number;
  readonly address: number;
  readonly port: number;
}

/** Writes one into the buffer. */
function next(): Datagram {
  const { bytes, peer } = pick(TEMPLATES);
  buffer.fill(random.below(256), OFFSET - 8, OFFSET + 128);
  buffer.set(bytes, OFFSET);
  let { length } = bytes;
  let address = parseAddress(peer.address);
  let { port } = peer;
  switch (random.below(8)) {
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
      address = parseAddress(pick(PEERS).address); // another member
      break;
    case 5:
      port = random.below(65_536);
      break;
    case 6:
      address = random.uint32();
      break;
    default: // as it should be
  }
  return { length, address, port };
}

/** By the letter of the rules, with text and big numbers. */
function isTaken({ length, address, port }: Datagram): boolean {
  const bytes = buffer.subarray(OFFSET, OFFSET + length);
  const hex = bytes.toHex();
  const number = (from: number, to: number) => BigInt(`0x0${hex.slice(2 * from, 2 * to)}`);
  if (hex.startsWith("4") && length >= 20) {
    const headerBytes = 4 * Number(`0x${hex[1]}`);
    const total = Number(number(2, 4));
    if (headerBytes < 20 || total < headerBytes || total !== length || bytes[8] === 0) return false;
    const sender = PEERS.find(({ subnet }) =>
      BigInt(parseAddress(subnet.slice(0, -3))) === (number(12, 16) >> 8n << 8n)
    );
    return sender !== undefined && parseAddress(sender.address) === address &&
      sender.port === port && hex.slice(32, 38) === "0af407";
  }
  if (!hex.startsWith("6") || length < 40) return false;
  if (Number(number(4, 6)) + 40 !== length || bytes[7] === 0) return false;
  const sender = PEERS.find((peer) => {
    const group = Number((peer.ipv6Subnet ?? "").replace("fd00:0:0:", "0x").replace("::/64", ""));
    return hex.slice(16, 32) === `fd0000000000${group.toString(16).padStart(4, "0")}`;
  });
  return sender !== undefined && parseAddress(sender.address) === address &&
    sender.port === port && hex.slice(48, 64) === "fd00000000000007";
}

Deno.test("of a million hostile datagrams exactly those are taken that members may send", () => {
  const table = new ForwardingTable({ ...OWN, peers: PEERS });
  const answers = new IcmpAnswers();
  const counts = new Map<number, number>();
  let taken = 0;
  for (let count = 0; count < DATAGRAMS; count++) {
    const datagram = next();
    const { length, address, port } = datagram;
    const verdict = table.incoming(buffer, OFFSET, length, address, port);
    if (verdict >= 0) {
      taken++;
      assert.equal(PEERS[verdict]?.port, port);
    } else counts.set(-verdict, (counts.get(-verdict) ?? 0) + 1);
    // The slow reading of a tenth of them is enough to find one in a million that is wrong in kind.
    if (count % 10 === 0) {
      const bytes = () => buffer.subarray(OFFSET, OFFSET + length).toHex();
      assert.equal(verdict >= 0, isTaken(datagram), `${count}: ${bytes()} gives ${verdict}`);
    }
    // The same bytes as if our own kernel had sent them: nothing throws, answers stay within bounds.
    const sent = table.outgoing(buffer, OFFSET, length);
    assert.ok(sent < PEERS.length);
    if (sent < 0 && length >= 40 && count % 100 === 0) {
      const answer = answers.unreachable(buffer, OFFSET, length, count);
      assert.ok(answer === null || answer.length <= 1_280);
    }
  }
  assert.ok(taken > DATAGRAMS / 10, `${taken} were taken`);
  for (const name of ["truncated", "malformed", "unknown-sender", "foreign-source"] as const) {
    const reason = DROP_NAMES.indexOf(name) + 1;
    assert.ok((counts.get(reason) ?? 0) > 1_000, `${name}: ${counts.get(reason)}`);
  }
});
