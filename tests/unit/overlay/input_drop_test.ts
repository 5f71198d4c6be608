/** Packets for this host itself: whether somebody's rules drop them for certain. */
import assert from "node:assert/strict";
import type {
  ForeignMatch,
  ForeignRule,
  ForeignVerdict,
} from "../../../mod/base/firewall_objects.ts";
import { findForwardDrop, type ForwardedPacket } from "../../../mod/overlay/forward_drop.ts";

const UDP = 17;
const VXLAN: ForwardedPacket = {
  source: "192.168.100.2/32",
  destination: "192.168.100.1/32",
  inDevice: "eth0",
  outDevice: null,
  arriving: { inIndex: 2, protocol: UDP, port: 8472 },
};
const ACCEPT: ForeignVerdict = { kind: "accept" };
const DROP: ForeignVerdict = { kind: "drop" };

function rule(verdict: ForeignVerdict, ...matches: ForeignMatch[]): ForeignRule {
  return { matches, verdict };
}

function isDropped(policy: "accept" | "drop", rules: readonly ForeignRule[], packet = VXLAN) {
  const chain = { name: "input", base: { priority: 0, policy }, rules };
  return findForwardDrop([{ family: "inet", name: "f", chains: [chain] }], packet) !== null;
}

const port = (number: number, isIn = true): ForeignMatch => ({ kind: "port", isIn, port: number });
const protocol = (number: number): ForeignMatch => ({
  kind: "protocol",
  isIn: true,
  protocol: number,
});
const arrivesBy = (index: number): ForeignMatch => ({
  kind: "device-index",
  side: "in",
  isIn: true,
  index,
});

Deno.test("a port that is closed by a rule or left to a policy of drop is dropped", () => {
  assert(isDropped("accept", [rule(DROP, protocol(UDP), port(8472))]));
  assert(isDropped("drop", [rule(ACCEPT, protocol(6), port(22)), rule(ACCEPT, arrivesBy(1))]));
  assert(isDropped("accept", [rule(DROP, port(22, false))]));
  assert(isDropped("drop", []));
});

Deno.test("a port that is open, or closed for others, is not", () => {
  assert(!isDropped("drop", [rule(ACCEPT, protocol(UDP), port(8472))]));
  assert(!isDropped("drop", [rule(ACCEPT, arrivesBy(2))]));
  assert(!isDropped("accept", [rule(DROP, protocol(6), port(8472))]));
  assert(!isDropped("accept", [rule(DROP, port(7947))]));
  assert(!isDropped("accept", []));
});

Deno.test("what cannot be read may mean us, and is not taken for a drop", () => {
  assert(!isDropped("drop", [rule(ACCEPT, protocol(UDP), { kind: "unknown" })]));
  assert(!isDropped("accept", [rule(DROP, protocol(UDP), { kind: "unknown" })]));
});

Deno.test("of packets that are forwarded, ports and numbers of devices are not known", () => {
  const { arriving: _, ...forwarded } = VXLAN;
  // As with any rule about what not all of them are.
  assert(isDropped("drop", [rule(ACCEPT, port(8472)), rule(ACCEPT, arrivesBy(2))], forwarded));
  assert(!isDropped("accept", [rule(DROP, port(8472))], forwarded));
});
