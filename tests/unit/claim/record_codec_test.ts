/** Records as bytes: one encoding each, checked field by field. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import {
  decodeRecord,
  encodeRecord,
  peekHostId,
  RECORD_BYTES_MAX,
} from "../../../mod/claim/record_codec.ts";
import { decode, encode, type WireValue } from "../../../mod/wire/codec.ts";
import { hostId, record } from "./samples.ts";

const VTEP = record().vtep;
const IPV6_ALONE = record({
  subnet: "fd00:10:244:7::/64",
  vtep: { ...VTEP, address: "2001:db8::7", mtu: 1430 },
});

/** The record's bytes with one field replaced. */
function withField(index: number, value: WireValue, base = record()): Uint8Array {
  const fields = decode(encodeRecord(base));
  ok(Array.isArray(fields));
  const changed = [...fields];
  changed[index] = value;
  return encode(changed);
}

Deno.test("a record survives its encoding", () => {
  const records: ClaimRecord[] = [
    record(),
    record({ state: "tentative", strength: 0 }),
    record({ state: "yielding", strength: 6 }),
    record({ state: "released", strength: 0 }),
    record({ subnet: "255.255.255.252/30", epoch: 0xffffffff, stamp: 0xffffffff }),
    record({ vtep: { ...VTEP, backend: "vxlan-direct" } }),
    record({ vtep: { ...VTEP, backend: "host-gw" } }),
    record({ vtep: { ...VTEP, backend: "udp" } }),
    record({ vtep: { ...VTEP, backend: "backend 255" } }),
    record({ vtep: { ...VTEP, ipv6: "2001:db8::7" } }),
    record({ vtep: { ...VTEP, backend: "vxlan-direct", ipv6: "fd00::" } }),
    record({ vtep: { ...VTEP, mtu: 8950 } }),
    record({ vtep: { ...VTEP, backend: "host-gw", mtu: 1400 } }),
    record({ vtep: { ...VTEP, ipv6: "fd00::", mtu: 1330 } }),
    IPV6_ALONE,
    record({ subnet: "fd00::4/126" }),
    record({ subnet: "8000::/1" }),
    record({ subnet: "fd00:10:244::/57", vtep: { ...IPV6_ALONE.vtep, backend: "host-gw" } }),
  ];
  for (const one of records) deepEqual(decodeRecord(encodeRecord(one)), one);
});

Deno.test("the largest record stays below its limit", () => {
  const largest = record({
    hostId: "f".repeat(32),
    generation: 0xffffffff,
    sequence: 2 ** 20 - 1,
    poolVersion: 0xffffffff,
    subnet: "fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126",
    epoch: 0xffffffff,
    stamp: 0xffffffff,
    vtep: {
      address: "2001:db8:1:2:3:4:5:6",
      port: 65535,
      mac: "fe:ff:ff:ff:ff:ff",
      backend: "backend 255",
      ipv6: "2001:db8:1:2:3:4:5:6",
      mtu: 65535,
    },
    absenceTtlHours: 65535,
  });
  ok(encodeRecord(largest).length <= 139, `${encodeRecord(largest).length} bytes`);
  deepEqual(decodeRecord(encodeRecord(largest)), largest);
});

Deno.test("the host id can be read without decoding", () => {
  equal(peekHostId(encodeRecord(record())), hostId(1));
  equal(
    peekHostId(encodeRecord(record({ vtep: { ...VTEP, backend: "host-gw", ipv6: "fd00::" } }))),
    hostId(1),
  );
  equal(peekHostId(encodeRecord(record({ vtep: { ...VTEP, mtu: 1400 } }))), hostId(1));
  equal(peekHostId(encodeRecord(IPV6_ALONE)), hostId(1));
  equal(peekHostId(new Uint8Array([0x80])), undefined);
  equal(peekHostId(new Uint8Array()), undefined);
});

const DUAL_STACK = record({ vtep: { ...VTEP, ipv6: "2001:db8::7" } });
const SMALL = record({ vtep: { ...VTEP, mtu: 1400 } });
const FAULTS_OF_BACKENDS = record({ vtep: { ...VTEP, backend: "host-gw" } });

const FAULTS: readonly [string, Uint8Array][] = [
  ["a newer version", withField(0, 3)],
  ["the version of IPv6 with an IPv4 subnet", withField(0, 2)],
  ["the version of IPv4 with an IPv6 subnet", withField(0, 1, IPV6_ALONE)],
  ["an IPv6 subnet in too many bytes", withField(7, new Uint8Array(9), IPV6_ALONE)],
  ["an IPv6 subnet in too few bytes", withField(7, new Uint8Array(7), IPV6_ALONE)],
  ["an IPv6 subnet of /127", withField(8, 127, record({ subnet: "fd00::4/126" }))],
  ["host bits in an IPv6 subnet", withField(8, 63, IPV6_ALONE)],
  ["a short host id", withField(1, new Uint8Array(15))],
  ["generation 0", withField(3, 0)],
  ["a generation above 32 bits", withField(3, 2 ** 32)],
  ["a sequence above 20 bits", withField(4, 2 ** 20)],
  ["host bits in the subnet", withField(7, 0x0af40701)],
  ["a subnet of /31", withField(8, 31)],
  ["an unknown state", withField(9, 4)],
  ["epoch 0", withField(10, 0)],
  ["an epoch above 32 bits", withField(10, 2 ** 32)],
  ["strength 3", withField(11, 3)],
  ["a held claim of strength 0", withField(11, 0)],
  [
    "a tentative claim of strength 1",
    withField(11, 1, record({ state: "tentative", strength: 0 })),
  ],
  ["a stamp that is a text", withField(12, "5")],
  ["a tunnel end point of 5 bytes", withField(13, new Uint8Array(5))],
  ["the tunnel end point 0.0.0.0", withField(13, new Uint8Array(4))],
  ["a multicast tunnel end point", withField(13, new Uint8Array([224, 0, 0, 1]))],
  ["port 0", withField(14, 0)],
  ["a group MAC", withField(15, new Uint8Array([1, 0, 0, 0, 0, 1]))],
  ["a MAC of zeros", withField(15, new Uint8Array(6))],
  ["a TTL of 0 hours", withField(16, 0)],
  ["the backend that is never written", withField(17, 0, FAULTS_OF_BACKENDS)],
  ["a backend above eight bits", withField(17, 256, FAULTS_OF_BACKENDS)],
  ["an IPv4 address for IPv6", withField(18, Uint8Array.of(10, 0, 0, 1), DUAL_STACK)],
  [
    "an IPv6 address of a group",
    withField(18, Uint8Array.from({ length: 16 }, () => 255), DUAL_STACK),
  ],
  ["no IPv6 address", withField(18, 0, DUAL_STACK)],
  ["an MTU of 67", withField(19, 67, SMALL)],
  ["an MTU above 16 bits", withField(19, 65536, SMALL)],
  ["no MTU", withField(19, null, SMALL)],
  ["no IPv6 address as the last", withField(18, null, DUAL_STACK)],
  ["the number 0 for no IPv6 address", withField(18, 0, SMALL)],
  ["two fields too many", withField(18, 0, FAULTS_OF_BACKENDS)],
  ["a field too many", encode([...(decode(encodeRecord(record())) as WireValue[]), 0])],
  ["a field too few", encode((decode(encodeRecord(record())) as WireValue[]).slice(1))],
  ["too many bytes", new Uint8Array(RECORD_BYTES_MAX + 1)],
  ["no bytes", new Uint8Array()],
  ["no array", encode(7)],
  ["a number in a longer form than needed", longForm(encodeRecord(record()))],
];

for (const [what, bytes] of FAULTS) {
  Deno.test(`${what} is refused`, () => {
    throws(() => decodeRecord(bytes), WireError);
  });
}

/** The same record with its version in two bytes: the second encoding that must not exist. */
function longForm(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([bytes[0] ?? 0, 0x18, ...bytes.subarray(1)]);
}
