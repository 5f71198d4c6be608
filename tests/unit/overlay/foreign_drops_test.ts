/** Rules of others as Docker writes them since version 28, and who else drops single containers' packets. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type {
  ForeignMatch,
  ForeignRule,
  ForeignTable,
  ForeignVerdict,
} from "../../../mod/base/firewall_objects.ts";
import { containerDevices, foreignDropProblems } from "../../../mod/overlay/foreign_drops.ts";

const device = (side: "in" | "out", name: string, isIn = true): ForeignMatch => ({
  kind: "device",
  side,
  name,
  isIn,
});
const destination = (of: string): ForeignMatch => ({
  kind: "address",
  side: "destination",
  of,
  isIn: true,
});
const rule = (verdict: ForeignVerdict["kind"], ...matches: ForeignMatch[]): ForeignRule => ({
  matches,
  verdict: { kind: verdict } as ForeignVerdict,
});

function table(name: string, chain: string, ...rules: ForeignRule[]): ForeignTable {
  const base = { priority: 0, policy: "accept" as const };
  return { family: "ip", name, chains: [{ name: chain, base, rules }] };
}

/** Drops what comes to Docker's bridge from elsewhere. */
const UNPUBLISHED = rule("drop", device("in", "docker0", false), device("out", "docker0"));
const RAW = rule("drop", destination("10.244.7.2"), device("in", "docker0", false));

function problems(
  forward: readonly ForeignTable[],
  prerouting: readonly ForeignTable[],
  devices: readonly string[] = ["docker0"],
) {
  return foreignDropProblems({ forward, prerouting }, {
    subnet: "10.244.7.0/24",
    network: "10.244.0.0/16",
    overlayDevice: "flannel.1",
    containerDevices: () => devices,
  });
}

Deno.test("what comes to the bridge of our subnet is dropped, and to another one is not ours", () => {
  const docker = [table("filter", "FORWARD", UNPUBLISHED)];
  match(problems(docker, [])[0]?.text ?? "", /in the table ip filter: a rule of the chain FORWARD/);
  deepStrictEqual(problems(docker, [], ["br-0123456789ab"]), []);
  deepStrictEqual(problems(docker, [], []), []);
  const accepted = rule("accept", device("in", "flannel.1"));
  deepStrictEqual(problems([table("filter", "FORWARD", accepted, UNPUBLISHED)], []), []);
});

Deno.test("devices are asked for only where a rule names one", () => {
  let asked = 0;
  const way = {
    subnet: "10.244.7.0/24",
    network: "10.244.0.0/16",
    overlayDevice: "flannel.1",
    containerDevices: () => (asked++, []),
  };
  foreignDropProblems({ forward: [table("x", "f", rule("continue"))], prerouting: [] }, way);
  strictEqual(asked, 0);
  foreignDropProblems({ forward: [table("x", "f", UNPUBLISHED)], prerouting: [] }, way);
  strictEqual(asked, 1);
});

Deno.test("a drop for one container's address is found before packets are forwarded", () => {
  const [problem, ...others] = problems([], [table("raw", "PREROUTING", RAW)]);
  deepStrictEqual(others, []);
  match(problem?.text ?? "", /send to 10\.244\.7\.2 on this host, in the table ip raw/);
  match(problem?.remedy ?? "", /--allow-direct-routing \(since 28\.2\)/);
  const trusted = rule("accept", destination("10.244.7.2"), device("in", "flannel.1"));
  deepStrictEqual(problems([], [table("raw", "PREROUTING", trusted, RAW)]), []);
  const elsewhere = rule("drop", destination("10.99.0.2"), device("in", "docker0", false));
  deepStrictEqual(problems([], [table("raw", "PREROUTING", elsewhere)]), []);
  const [own] = problems([], [table("mine", "p", RAW)]);
  match(own?.remedy ?? "", /^Accept what comes from the overlay/);
});

Deno.test("both places are named", () => {
  const both = problems([table("filter", "FORWARD", UNPUBLISHED)], [table("raw", "P", RAW)]);
  deepStrictEqual(both.map(({ code }) => code), ["forward-drop", "forward-drop"]);
});

Deno.test("containers are behind devices with an address of the subnet that are not ours", () => {
  const addressed = (name: string, address: string, isOwn = false) => ({
    name,
    index: 1,
    kind: "bridge",
    mtu: 1450,
    up: true,
    hasNeighbours: true,
    isOwn,
    addresses: [
      {
        address,
        prefixLength: 24,
        isGlobal: true,
        isDynamic: false,
        isSecondary: false,
        isDeprecated: false,
      },
    ],
  });
  const devices = [
    addressed("docker0", "10.244.7.1"),
    addressed("flannel.1", "10.244.7.0", true),
    addressed("eth0", "192.168.100.1"),
    addressed("br6", "fd00::1"),
  ];
  deepStrictEqual(containerDevices(devices, "10.244.7.0/24"), ["docker0"]);
  deepStrictEqual(containerDevices(devices, "fd00::/64"), ["br6"]);
});
