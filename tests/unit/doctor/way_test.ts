/** Which layer between two hosts fails, from what was tried. */
import assert from "node:assert/strict";
import {
  brokenLayer,
  type WayFacts,
  wayFindings,
  type WayProbes,
} from "../../../mod/doctor/way.ts";

const ANSWERED = { kind: "answered", ms: 0.5 } as const;
const LOST = { kind: "lost" } as const;

const FACTS: WayFacts = {
  name: "h2",
  address: "192.168.100.2",
  status: "alive",
  subnet: "10.244.2.0/24",
  gossipPort: 7947,
  vxlanPort: 8472,
  device: "flannel.1",
  mtu: 1450,
  underlayBytes: 1500,
  missing: "",
  carried: { sent: 2, received: 0 },
};

const WELL: WayProbes = {
  gossip: { datagramMs: 0.4, streamMs: 1.2, streamReason: null },
  underlay: ANSWERED,
  underlayFull: ANSWERED,
  overlay: ANSWERED,
  overlayFull: ANSWERED,
};

const SILENT_GOSSIP = { datagramMs: null, streamMs: null, streamReason: "timed out" };

const CASES: {
  name: string;
  probes: Partial<WayProbes>;
  facts?: Partial<WayFacts>;
  broken: string | null;
  text: RegExp;
}[] = [
  { name: "nothing", probes: {}, broken: null, text: /Packets of 1450 bytes, the longest, pass/ },
  {
    name: "the whole host",
    probes: {
      gossip: SILENT_GOSSIP,
      underlay: LOST,
      underlayFull: LOST,
      overlay: LOST,
      overlayFull: null,
    },
    broken: "underlay",
    text: /Nothing of h2 answers at 192\.168\.100\.2/,
  },
  {
    name: "UDP of gossip",
    probes: { gossip: { ...SILENT_GOSSIP, streamMs: 2, streamReason: null } },
    broken: "gossip-udp",
    text: /over TCP but not over UDP 7947/,
  },
  {
    name: "TCP of gossip",
    probes: { gossip: { datagramMs: 1, streamMs: null, streamReason: "connection refused" } },
    broken: "gossip-tcp",
    text: /not over TCP 7947: connection refused/,
  },
  {
    name: "the agent",
    probes: { gossip: SILENT_GOSSIP },
    facts: { status: "dead" },
    broken: "gossip-udp",
    text: /The agent of h2, which is dead, does not answer/,
  },
  {
    name: "the VXLAN port",
    probes: { overlay: LOST, overlayFull: null },
    broken: "overlay",
    text: /flannel\.1 sends, and receives nothing/,
  },
  {
    name: "an entry of the kernel",
    probes: { overlay: LOST, overlayFull: null },
    facts: { missing: "bridge fdb add 02:00 dev flannel.1\n", carried: { sent: 0, received: 0 } },
    broken: "overlay",
    text: /kernel lacks what leads to h2: bridge fdb add/,
  },
  {
    name: "whatever keeps packets within the host",
    probes: { overlay: LOST, overlayFull: null },
    facts: { carried: { sent: 0, received: 0 } },
    broken: "overlay",
    text: /nothing leaves by flannel\.1/,
  },
  {
    name: "a route",
    probes: { overlay: { kind: "refused", reason: "No route to host" }, overlayFull: null },
    broken: "overlay",
    text: /No packet leaves for its VTEP: No route to host/,
  },
  {
    name: "the length of packets on the way",
    probes: { underlayFull: LOST, overlayFull: LOST },
    broken: "underlay-mtu",
    text: /does not carry packets of 1500 bytes/,
  },
  {
    name: "the length of packets in the overlay alone",
    probes: { overlayFull: { kind: "too-big" } },
    broken: "overlay-mtu",
    text: /Small packets pass through the overlay, those of 1450 bytes do not/,
  },
  {
    name: "IPv6 in the overlay alone",
    probes: { ipv6: { overlay: LOST, overlayFull: null } },
    facts: {
      ipv6: { device: "flannel-v6.1", mtu: 1430, missing: "", carried: { sent: 2, received: 0 } },
    },
    broken: "overlay-ipv6",
    text: /flannel-v6\.1 sends, and receives nothing/,
  },
  {
    name: "the length of IPv6 packets in the overlay alone",
    probes: { ipv6: { overlay: ANSWERED, overlayFull: LOST } },
    facts: { ipv6: { device: "flannel-v6.1", mtu: 1430, missing: "", carried: null } },
    broken: "overlay-mtu-ipv6",
    text: /Small packets pass through the overlay, those of 1430 bytes do not/,
  },
];

for (const { name, probes, facts, broken, text } of CASES) {
  Deno.test(`what fails is ${name}`, () => {
    const findings = wayFindings({ ...FACTS, ...facts }, { ...WELL, ...probes });
    const found = brokenLayer(findings);
    assert.equal(found?.name ?? null, broken);
    assert(findings.some(({ finding }) => text.test(finding)), JSON.stringify(findings));
    for (const { verdict, remedy } of findings) assert.equal(verdict === "ok", remedy === null);
  });
}

Deno.test("a host that answers no pings is not taken for one that is away", () => {
  const findings = wayFindings(FACTS, { ...WELL, underlay: LOST, underlayFull: LOST });
  assert.equal(brokenLayer(findings), null);
  assert.deepEqual(findings.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name), [
    "underlay",
  ]);
});

Deno.test("any one answer says that the host is there", () => {
  const silent: WayProbes = {
    gossip: SILENT_GOSSIP,
    underlay: LOST,
    underlayFull: LOST,
    overlay: LOST,
    overlayFull: null,
  };
  const answers: Partial<WayProbes>[] = [
    { gossip: { ...SILENT_GOSSIP, datagramMs: 1 } },
    { gossip: { ...SILENT_GOSSIP, streamMs: 1 } },
    { overlay: ANSWERED },
  ];
  for (const answer of answers) {
    const [underlay] = wayFindings(FACTS, { ...silent, ...answer });
    assert.deepEqual([underlay?.name, underlay?.verdict], ["underlay", "warn"]);
  }
});

Deno.test("packets that pass in fragments only are a warning", () => {
  const findings = wayFindings(FACTS, { ...WELL, underlayFull: LOST });
  assert.equal(brokenLayer(findings), null);
  assert(findings.some(({ name, verdict }) => name === "underlay-mtu" && verdict === "warn"));
});

Deno.test("a host without a subnet, or without a device, has no overlay to ask", () => {
  const without = { ...WELL, overlay: null, overlayFull: null };
  const bare = wayFindings(FACTS, without).find(({ name }) => name === "overlay");
  assert.match(bare?.finding ?? "", /travel bare/);
  const none = wayFindings({ ...FACTS, subnet: null }, without);
  assert.match(none.find(({ name }) => name === "overlay")?.finding ?? "", /h2 has no subnet/);
});
