/** What senders of packets that go nowhere are told, and when nothing is said. */
import assert from "node:assert/strict";
import { IcmpAnswers } from "../../../mod/dataplane/icmp_answer.ts";
import { mayBeCut } from "../../../mod/dataplane/ip_header.ts";
import { onesComplementSum, packet, type PacketParts } from "./packets.ts";

const IPV4: PacketParts = {
  source: "10.244.7.5",
  destination: "10.244.55.3",
  payload: Array.from({ length: 1_000 }, (_, index) => index & 255),
};
const IPV6: PacketParts = {
  source: "fd00:0:0:7::5",
  destination: "fd00:0:0:55::3",
  payload: Array.from({ length: 1_401 }, (_, index) => index & 255),
};
const DONT_FRAGMENT = 0x4000;

function unreachable(parts: PacketParts, answers = new IcmpAnswers(), nowMs = 0) {
  const bytes = packet(parts);
  const buffer = new Uint8Array(bytes.length + 9);
  buffer.set(bytes, 9);
  return answers.unreachable(buffer, 9, bytes.length, nowMs);
}

function tooBig(parts: PacketParts) {
  const bytes = packet(parts);
  return new IcmpAnswers().tooBig(bytes, 0, bytes.length, 1_300, 0);
}

/** By hand, from RFC 792. */
function checkIpv4(answer: Uint8Array | null, code: number, mtu: number): void {
  assert.ok(answer !== null, "something is said");
  assert.equal(answer.length, 576);
  assert.equal(answer[0], 0x45);
  assert.equal(new DataView(answer.buffer).getUint16(2), 576);
  assert.equal(answer[9], 1, "ICMP");
  assert.deepEqual([...answer.subarray(12, 20)], [10, 244, 55, 3, 10, 244, 7, 5]);
  assert.deepEqual([...answer.subarray(20, 22)], [3, code]);
  assert.equal(new DataView(answer.buffer).getUint16(26), mtu);
  assert.equal(onesComplementSum(answer.subarray(0, 20)), 0xffff);
  assert.equal(onesComplementSum(answer.subarray(20)), 0xffff);
}

Deno.test("an IPv4 host that is not there is told of as unreachable, with the packet's beginning", () => {
  const answer = unreachable(IPV4);
  checkIpv4(answer, 1, 0);
  assert.deepEqual(answer?.subarray(28), packet(IPV4).subarray(0, 548));
});

Deno.test("an IPv4 packet that may not be cut up and is too long is told of with the MTU", () => {
  checkIpv4(tooBig({ ...IPV4, fragment: DONT_FRAGMENT }), 4, 1_300);
  assert.equal(tooBig(IPV4), null, "it may be cut up");
});

Deno.test("an IPv6 sender is told the same in its own terms", () => {
  for (
    const [answer, type, code, mtu] of [
      [unreachable(IPV6), 1, 3, 0],
      [tooBig(IPV6), 2, 0, 1_300],
    ] as const
  ) {
    assert.ok(answer !== null);
    assert.equal(answer.length, 1_280);
    assert.deepEqual([...answer.subarray(40, 42)], [type, code]);
    assert.equal(new DataView(answer.buffer).getUint32(44), mtu);
    assert.deepEqual(answer.subarray(8, 24), packet(IPV6).subarray(24, 40));
    assert.deepEqual(answer.subarray(24, 40), packet(IPV6).subarray(8, 24));
    const pseudo = Uint8Array.of(0, 0, 1_240 >> 8, 1_240 & 255, 0, 0, 0, 58);
    const sum = onesComplementSum(answer.subarray(8, 40), pseudo, answer.subarray(40));
    assert.equal(sum, 0xffff);
    assert.deepEqual(answer.subarray(48), packet(IPV6).subarray(0, 1_232));
  }
});

Deno.test("no IPv6 sender is told of less than every path takes", () => {
  const shortest = packet({ ...IPV6, payload: Array(1_240).fill(0) });
  const longer = packet({ ...IPV6, payload: Array(1_241).fill(0) });
  const told = (bytes: Uint8Array) => {
    const answer = new IcmpAnswers().tooBig(bytes, 0, bytes.length, 1_000, 0);
    return answer === null ? null : new DataView(answer.buffer).getUint32(44);
  };
  assert.equal(told(longer), 1_280);
  assert.equal(mayBeCut(longer, 0, 1_281), false);
  assert.equal(told(shortest), null);
  assert.equal(mayBeCut(shortest, 0, 1_280), true, "by the tunnel: RFC 2473 section 7.2");
});

Deno.test("an odd number of bytes is summed up as if a zero followed", () => {
  const answer = unreachable({ ...IPV4, payload: [1, 2, 3] });
  assert.ok(answer !== null);
  assert.equal(answer.length, 20 + 8 + 23);
  assert.equal(onesComplementSum(answer.subarray(20)), 0xffff);
});

Deno.test("nothing is said of errors, of what went to many, of later fragments, of nobody", () => {
  const icmp = (type: number): PacketParts => ({
    ...IPV4,
    protocol: 1,
    payload: [type, 0, 0, 0, 0, 0, 0, 0],
  });
  for (const type of [3, 4, 5, 11, 12, 40]) assert.equal(unreachable(icmp(type)), null, `${type}`);
  assert.notEqual(unreachable(icmp(8)), null, "a question");
  assert.equal(unreachable({ ...icmp(8), payload: [] }), null, "an ICMP packet without a type");
  for (const destination of ["224.0.0.1", "255.255.255.255"]) {
    assert.equal(unreachable({ ...IPV4, destination }), null);
  }
  for (const source of ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"]) {
    assert.equal(unreachable({ ...IPV4, source }), null);
  }
  assert.notEqual(unreachable({ ...IPV4, fragment: 0x2000 }), null, "the first fragment");
  assert.equal(unreachable({ ...IPV4, fragment: 0x2001 }), null, "a later one");
});

Deno.test("the same is not said with IPv6, also behind other headers", () => {
  const behind = (first: number, header: number[], type: number): PacketParts => ({
    ...IPV6,
    protocol: first,
    payload: [...header, type, 0, 0, 0, 0, 0, 0, 0],
  });
  const options = [58, 0, 1, 4, 0, 0, 0, 0];
  const fragment = (offset: number) => [58, 0, offset >> 8, offset & 255, 0, 0, 0, 1];
  assert.equal(unreachable(behind(58, [], 1)), null);
  assert.notEqual(unreachable(behind(58, [], 128)), null);
  assert.equal(unreachable(behind(60, options, 2)), null);
  assert.notEqual(unreachable(behind(60, options, 129)), null);
  assert.equal(unreachable(behind(44, fragment(0), 3)), null);
  assert.notEqual(unreachable(behind(44, fragment(1), 128)), null, "the first fragment");
  assert.equal(unreachable(behind(44, fragment(0x58), 128)), null, "a later one");
  assert.equal(unreachable({ ...IPV6, protocol: 60, payload: [58, 9, 0, 0, 0, 0, 0, 0] }), null);
  for (const source of ["::", "::1", "ff02::1"]) {
    assert.equal(unreachable({ ...IPV6, source }), null, source);
  }
  assert.equal(unreachable({ ...IPV6, destination: "ff02::1" }), null);
});

Deno.test("50 are answered at once and 1,000 a second", () => {
  const answers = new IcmpAnswers();
  const answered = (nowMs: number) =>
    Array.from({ length: 200 }, () => unreachable(IPV4, answers, nowMs))
      .filter((answer) => answer !== null).length;
  assert.equal(answered(1_000), 50);
  assert.equal(answered(1_000), 0);
  assert.equal(answered(1_010), 10);
  assert.equal(answered(1_005), 0, "a clock that went back gives nothing");
  assert.equal(answered(9_000), 50);
});

Deno.test("whoever asks for hosts that are not there takes nobody's word of how long packets may be", () => {
  const answers = new IcmpAnswers();
  while (unreachable(IPV4, answers) !== null);
  const bytes = packet({ ...IPV4, fragment: DONT_FRAGMENT });
  const told = Array.from({ length: 200 }, () => answers.tooBig(bytes, 0, bytes.length, 1_300, 0))
    .filter((answer) => answer !== null).length;
  assert.equal(told, 50);
});
