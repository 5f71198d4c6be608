/** Where the data path sends packets, and from whom it takes them. */
import assert from "node:assert/strict";
import { parseAddress } from "../../../mod/address/parse.ts";
import { DROP } from "../../../mod/dataplane/drop_reason.ts";
import { ForwardingTable, type PeerEntry } from "../../../mod/dataplane/forwarding_table.ts";
import { packet, type PacketParts } from "./packets.ts";

const PEER: PeerEntry = {
  hostId: "b",
  slot: 3,
  subnet: "10.244.9.0/24",
  ipv6Subnet: "fd00:0:0:9::/64",
  address: "192.168.100.2",
  port: 8285,
  mtu: 1472,
  silent: false,
};
const OTHER: PeerEntry = {
  ...PEER,
  hostId: "c",
  slot: 0,
  subnet: "10.245.1.0/24",
  ipv6Subnet: "fd00:0:0:1::/64",
  address: "192.168.100.3",
};
const OWN = { subnet: "10.244.7.0/24", ipv6Subnet: "fd00:0:0:7::/64" };

function table(...peers: PeerEntry[]): ForwardingTable {
  return new ForwardingTable({ ...OWN, peers });
}

/** At an offset that is no multiple of anything: the packet lies somewhere in a larger buffer. */
function send(to: ForwardingTable, bytes: Uint8Array): number {
  const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
  buffer.set(bytes, 11);
  return to.outgoing(buffer, 11, bytes.length);
}

function take(by: ForwardingTable, bytes: Uint8Array, from = "192.168.100.2", port = 8285): number {
  const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
  buffer.set(bytes, 13);
  return by.incoming(buffer, 13, bytes.length, parseAddress(from), port);
}

const THERE: PacketParts = { source: "10.244.7.5", destination: "10.244.9.200" };
const HERE: PacketParts = { source: "10.244.9.5", destination: "10.244.7.200" };
const THERE6: PacketParts = { source: "fd00:0:0:7::5", destination: "fd00:0:0:9::1234" };
const HERE6: PacketParts = { source: "fd00:0:0:9::5", destination: "fd00:0:0:7::1234" };

Deno.test("a packet goes to the host whose subnet its destination is in, of whatever network", () => {
  const both = table(PEER, OTHER);
  assert.equal(send(both, packet(THERE)), 3);
  assert.equal(send(both, packet({ ...THERE, destination: "10.245.1.255" })), 0);
  assert.equal(send(both, packet(THERE6)), 3);
  assert.equal(send(both, packet({ ...THERE6, destination: "fd00:0:0:1::" })), 0);
  assert.equal(both.addressOf(3), parseAddress("192.168.100.2"));
  assert.equal(both.portOf(3), 8285);
  assert.equal(both.mtuOf(3), 1472);
});

Deno.test("a packet to nobody, to ourselves or to many is not sent, and each for its reason", () => {
  const both = table(PEER, OTHER);
  for (
    const [destination, reason] of [
      ["10.244.8.1", DROP.noHost],
      ["11.0.0.1", DROP.noHost],
      ["10.244.7.9", DROP.ownSubnet],
      ["224.0.0.1", DROP.multicast],
      ["255.255.255.255", DROP.multicast],
    ] as const
  ) assert.equal(send(both, packet({ ...THERE, destination })), -reason, destination);
  for (
    const [destination, reason] of [
      ["fd00:0:0:8::1", DROP.noHost],
      ["fd00:0:0:7::9", DROP.ownSubnet],
      ["ff02::1", DROP.multicast],
    ] as const
  ) assert.equal(send(both, packet({ ...THERE6, destination })), -reason, destination);
});

Deno.test("a packet that is not from our subnet is not sent, for nobody would take it", () => {
  const one = table(PEER);
  assert.equal(send(one, packet({ ...THERE, source: "10.244.9.5" })), -DROP.foreignSource);
  assert.equal(send(one, packet({ ...THERE, source: "192.168.1.1" })), -DROP.foreignSource);
  assert.equal(send(one, packet({ ...THERE6, source: "fd00:0:0:9::1" })), -DROP.foreignSource);
});

Deno.test("of a silent host the device alone is still asked", () => {
  const silent = table({ ...PEER, silent: true });
  assert.equal(send(silent, packet(THERE)), -DROP.silentHost);
  assert.equal(send(silent, packet({ ...THERE, destination: "10.244.9.0" })), 3);
  assert.equal(send(silent, packet(THERE6)), -DROP.silentHost);
  assert.equal(send(silent, packet({ ...THERE6, destination: "fd00:0:0:9::" })), 3);
});

Deno.test("a member's packet from its subnet to ours is taken", () => {
  assert.equal(take(table(PEER), packet(HERE)), 3);
  assert.equal(take(table(PEER), packet(HERE6)), 3);
  assert.equal(take(table({ ...PEER, silent: true }), packet(HERE)), 3);
});

Deno.test("a member's packet from another subnet than its own is not taken", () => {
  const both = table(PEER, OTHER);
  for (const source of ["10.245.1.1", "10.244.7.1", "10.244.8.1", "8.8.8.8", "127.0.0.1"]) {
    assert.equal(take(both, packet({ ...HERE, source })), -DROP.foreignSource, source);
  }
  assert.equal(take(both, packet({ ...HERE6, source: "fd00:0:0:1::1" })), -DROP.foreignSource);
});

Deno.test("nothing is taken from who is no member, nor from a member's other ports", () => {
  const both = table(PEER, OTHER);
  assert.equal(take(both, packet(HERE), "192.168.100.9"), -DROP.unknownSender);
  assert.equal(take(both, packet(HERE), "192.168.100.2", 4000), -DROP.unknownSender);
  assert.equal(take(both, Uint8Array.of(1, 2, 3), "192.168.100.9"), -DROP.unknownSender);
});

Deno.test("a packet for an address that is not of our subnet is not taken", () => {
  const both = table(PEER, OTHER);
  for (const destination of ["10.245.1.1", "10.244.9.9", "192.168.100.1", "127.0.0.1"]) {
    assert.equal(take(both, packet({ ...HERE, destination })), -DROP.foreignDestination);
  }
  assert.equal(take(both, packet({ ...HERE, destination: "224.0.0.251" })), -DROP.multicast);
  assert.equal(take(both, packet({ ...HERE6, destination: "ff02::1" })), -DROP.multicast);
});

Deno.test("what is no whole packet is not taken", () => {
  const one = table(PEER);
  const whole = packet({ ...HERE, payload: [1, 2, 3, 4] });
  for (let length = 0; length < whole.length; length++) {
    assert.equal(take(one, whole.subarray(0, length)), -DROP.truncated, `${length} bytes`);
  }
  assert.equal(take(one, Uint8Array.of(...whole, 0)), -DROP.malformed, "a byte too many");
  const whole6 = packet({ ...HERE6, payload: [1, 2, 3, 4] });
  for (let length = 0; length < whole6.length; length++) {
    assert.equal(take(one, whole6.subarray(0, length)), -DROP.truncated, `${length} bytes`);
  }
  const patched = (at: number, value: number) => {
    const bytes = packet(HERE);
    bytes[at] = value;
    return take(one, bytes);
  };
  assert.equal(patched(0, 0x44), -DROP.malformed, "a header of 16 bytes");
  assert.equal(patched(0, 0x46), -DROP.malformed, "a header longer than the packet");
  assert.equal(patched(0, 0x55), -DROP.malformed, "version 5");
  assert.equal(patched(3, 19), -DROP.malformed, "a packet shorter than its header");
  assert.equal(patched(8, 0), -DROP.malformed, "no time to live");
});

Deno.test("without an IPv6 half nothing of IPv6 is sent or taken", () => {
  const { ipv6Subnet: _, ...half } = PEER;
  const ipv4 = new ForwardingTable({ subnet: OWN.subnet, peers: [half] });
  assert.equal(send(ipv4, packet(THERE6)), -DROP.foreignSource);
  assert.equal(take(ipv4, packet(HERE6)), -DROP.foreignSource);
  assert.equal(take(ipv4, packet(HERE)), 3);
});

Deno.test("5,000 subnets each lead to their own host", () => {
  const peers = Array.from({ length: 5_000 }, (_, index): PeerEntry => ({
    ...PEER,
    slot: index,
    subnet: `10.${index >> 8}.${index & 255}.0/24`,
    ipv6Subnet: `fd00:0:0:${(index + 0x100).toString(16)}::/64`,
    address: `172.16.${index >> 8}.${index & 255}`,
  }));
  const many = new ForwardingTable({ ...OWN, peers });
  for (const { slot, subnet, ipv6Subnet = "" } of peers) {
    const destination = subnet.replace(".0/24", ".77");
    assert.equal(send(many, packet({ ...THERE, destination })), slot);
    const destination6 = ipv6Subnet.replace("::/64", "::77");
    assert.equal(send(many, packet({ ...THERE6, destination: destination6 })), slot);
  }
  assert.equal(send(many, packet({ ...THERE, destination: "10.20.0.1" })), -DROP.noHost);
});

Deno.test("a host that announces an address of IPv6 is nobody: no packet goes to 0.0.0.0, and none comes from there", () => {
  const one = table({ ...PEER, address: "fd00::2" });
  assert.equal(send(one, packet(THERE)), -DROP.noHost);
  assert.equal(take(one, packet(HERE), "0.0.0.0"), -DROP.unknownSender);
});

Deno.test("on an underlay of IPv6 packets go to and come from addresses of all four words", () => {
  const subnet = "fd00:0:0:9::/64";
  const peer: PeerEntry = {
    hostId: "b",
    slot: 1,
    subnet,
    address: "fd00::2",
    port: 8285,
    mtu: 1452,
    silent: false,
  };
  const v4: PeerEntry = { ...PEER, slot: 2 };
  const one = new ForwardingTable({ subnet: "fd00:0:0:7::/64", peers: [peer, v4] });
  assert.equal(send(one, packet(THERE6)), 1);
  assert.deepEqual(one.addressOf(1), [0xfd00_0000, 0, 0, 2]);
  assert.deepEqual([one.addressOf(2), one.portOf(2)], [0, 0], "IPv4 is nobody");
  const bytes = packet({ ...THERE6, source: THERE6.destination, destination: THERE6.source });
  const from = (words: readonly number[], port = 8285) => {
    const [a = 0, b = 0, c = 0, d = 0] = words;
    return one.incoming(bytes, 0, bytes.length, a, port, b, c, d);
  };
  assert.equal(from([0xfd00_0000, 0, 0, 2]), 1);
  for (
    const wrong of [[1, 0, 0, 2], [0xfd00_0000, 1, 0, 2], [0xfd00_0000, 0, 1, 2], [
      0xfd00_0000,
      0,
      0,
      3,
    ]]
  ) {
    assert.equal(from(wrong), -DROP.unknownSender, wrong.join());
  }
  assert.equal(from([0xfd00_0000, 0, 0, 2], 8286), -DROP.unknownSender);
  const moved = new ForwardingTable({
    subnet: "fd00:0:0:7::/64",
    peers: [{ ...peer, address: "fd00:0:0:1::2" }],
  });
  assert.equal(one.isSameWay(one, 1), true);
  assert.equal(one.isSameWay(moved, 1), false, "another word");
});
