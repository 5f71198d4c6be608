/** The CNI plugin by the letter: every command and every error code, and what a killed one leaves. */
import assert from "node:assert/strict";
import { addressAdd, addressDelete } from "../../ffi/route/address.ts";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { linkDelete, linkGet, linkSet } from "../../ffi/route/link.ts";
import { routeDump } from "../../ffi/route/route.ts";
import { vethAdd } from "../../ffi/route/veth.ts";
import { readSysctl } from "../../ffi/sysctl.ts";
import { Namespace } from "../../mod/lab/namespace.ts";
import { ping } from "../../mod/lab/ping.ts";
import { CniDriver, TestContainer } from "./cni_driver.ts";
import { scenario, type Stage } from "./scenario.ts";

const SUBNET = "10.244.7.1/24";
/** Different moments at which an ADD is killed. */
const KILLS = 8;
/** Longer than any ADD takes. */
const KILL_WAIT_MS_MAX = 2_000;
const AT_ONCE = 50;

let hosts = 0;

/** A host of its own for each step. */
function driverOf({ executable, folder }: Stage, subnet: string | null = SUBNET): CniDriver {
  const name = `cni${++hosts}`;
  Deno.mkdirSync(`${folder}/${name}`);
  const host = new Namespace(name);
  const driver = new CniDriver({ host, command: [executable], folder: `${folder}/${name}` });
  if (subnet !== null) driver.holdSubnet(subnet);
  return driver;
}

scenario(
  import.meta,
  "the CNI plugin, each command and error code",
  { hosts: 0 },
  async (stage) => {
    const { step } = stage;
    await step("VERSION lists what is supported", () => version(stage));
    await step("wrong calls have the specification's error codes", () => wrongCalls(stage));
    await step("before the subnet is held the answer is to try again", () => notHeld(stage));
    await step("ADD makes what it says, in each version's shape", () => add(stage));
    await step("a second ADD fails and harms nothing", () => addTwice(stage));
    await step("networks share the addresses and nothing else", () => twoNetworks(stage));
    await step("CHECK finds what is missing", () => check(stage));
    await step("DEL takes away, twice, of the unknown, without a namespace", () => del(stage));
    await step("GC keeps what is valid and removes the rest", () => collect(stage));
    await step("an ADD killed at any moment leaves nothing for good", () => killed(stage));
    await step("addresses run out, and come back from containers that are gone", () => full(stage));
    await step("an address rests before it is given out again", () => resting(stage));
    await step(`${AT_ONCE} at once get different addresses`, () => atOnce(stage));
    await step("another subnet: old containers keep their gateway", () => renumbered(stage));
    await step("bridges and addresses of others are left alone", () => foreign(stage));
    await step("dual stack, IPv6 alone, and what the runtime asks for", () => families(stage));
  },
);

async function version(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const supportedVersions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
  for (const cniVersion of ["1.0.0", "9.9.9"]) {
    const answer = await driver.ok("VERSION", null, { input: JSON.stringify({ cniVersion }) });
    assert.deepEqual(answer, { cniVersion, supportedVersions });
  }
  const answer = await driver.ok("VERSION", null, { input: "" });
  assert.deepEqual(answer, { cniVersion: "1.1.0", supportedVersions });
}

async function wrongCalls(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const one = new TestContainer("one");
  const wrong = async (code: number, says: RegExp, ...call: Parameters<CniDriver["call"]>) =>
    assert.match(await driver.refused(code, ...call), says);
  await Promise.all([
    wrong(4, /CNI_CONTAINERID/, "ADD", one, { variables: { CNI_CONTAINERID: undefined } }),
    wrong(4, /CNI_NETNS, CNI_IFNAME/, "ADD", one, {
      variables: { CNI_NETNS: undefined, CNI_IFNAME: "" },
    }),
    wrong(4, /CNI_NETNS/, "CHECK", one, { variables: { CNI_NETNS: undefined } }),
    wrong(4, /CNI_IFNAME/, "DEL", one, { variables: { CNI_IFNAME: undefined } }),
    wrong(4, /CNI_COMMAND.*"NOTHING"/, "NOTHING", one),
    wrong(4, /CNI_CONTAINERID/, "ADD", one, { variables: { CNI_CONTAINERID: "../up" } }),
    wrong(4, /CNI_IFNAME/, "ADD", one, { ifname: "a/b" }),
    wrong(4, /CNI_IFNAME/, "ADD", one, { ifname: "sixteen-letters-" }),
  ]);
  await Promise.all([
    wrong(6, /no JSON/, "ADD", one, { input: "{" }),
    wrong(6, /nothing/, "DEL", one, { input: "" }),
    wrong(6, /no object/, "ADD", one, { input: "[1]" }),
    wrong(6, /cniVersion/, "ADD", one, { config: { cniVersion: 1 } }),
    wrong(1, /0\.2\.0/, "ADD", one, { config: { cniVersion: "0.2.0" } }),
    wrong(1, /0\.1\.0/, "DEL", one, { config: { cniVersion: undefined } }),
    wrong(1, /2\.0\.0/, "ADD", one, { config: { cniVersion: "2.0.0" } }),
    wrong(1, /CHECK/, "CHECK", one, { config: { cniVersion: "0.3.1" } }),
    wrong(1, /STATUS/, "STATUS", null, { config: { cniVersion: "1.0.0" } }),
    wrong(1, /GC/, "GC", null, { config: { cniVersion: "1.0.0" } }),
  ]);
  await Promise.all([
    wrong(7, /no name/, "ADD", one, { config: { name: undefined } }),
    wrong(7, /name/, "ADD", one, { config: { name: "../../etc" } }),
    wrong(7, /mtu/, "ADD", one, { config: { mtu: "big" } }),
    wrong(7, /subnetFile/, "ADD", one, { config: { subnetFile: "here" } }),
    wrong(7, /delegate\.name/, "ADD", one, { config: { type: "flannel", delegate: { name: "" } } }),
    wrong(7, /no plugin bridge.*\/nowhere/, "ADD", one, { config: { type: "flannel" } }),
    wrong(7, /valid-attachments/, "GC", null),
    wrong(2, /delegate\.vlan: 7/, "ADD", one, { config: { delegate: { vlan: 7 } } }),
    wrong(2, /isGateway: false/, "ADD", one, { config: { isGateway: false } }),
    wrong(3, /no \/run\/netns\/nobody/, "ADD", one, {
      variables: { CNI_NETNS: "/run/netns/nobody" },
    }),
    wrong(4, /no network namespace/, "ADD", one, { variables: { CNI_NETNS: driver.subnetFile } }),
    wrong(4, /host's own/, "ADD", one, { variables: { CNI_NETNS: "/proc/self/ns/net" } }),
    wrong(5, /subnet\.env/, "ADD", one, { config: { dataDir: driver.subnetFile } }),
  ]);
  // ipMasq is the agent's business, which here does not do it.
  driver.holdSubnet(SUBNET);
  const text = Deno.readTextFileSync(driver.subnetFile).replace("MASQ=true", "MASQ=false");
  Deno.writeTextFileSync(driver.subnetFile, text);
  await wrong(2, /--ip-masq/, "ADD", one, { config: { ipMasq: true } });
  assert.deepEqual([driver.attached(), driver.cables()], [[], []]);
}

async function notHeld(stage: Stage): Promise<void> {
  const driver = driverOf(stage, null);
  const one = new TestContainer("one");
  assert.match(await driver.refused(11, "ADD", one), /no subnet yet/);
  await driver.refused(50, "STATUS", null);
  await driver.ok("DEL", one);
  await driver.ok("GC", null, { config: { "cni.dev/valid-attachments": [] } });
  Deno.writeTextFileSync(driver.subnetFile, "FLANNEL_NETWORK=10.244.0.0/16\n");
  assert.match(await driver.refused(11, "ADD", one), /FLANNEL_SUBNET/);
  driver.holdSubnet("10.244.7.400/24");
  await driver.refused(6, "ADD", one);
  driver.holdSubnet(SUBNET);
  await driver.ok("STATUS", null);
  await driver.ok("ADD", one);
  driver.holdSubnet(null);
  await driver.refused(51, "STATUS", null);
  await driver.ok("DEL", one);
}

async function add(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  for (const cniVersion of ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]) {
    const container = new TestContainer(`v${cniVersion}`);
    const dns = { nameservers: ["10.0.0.53"] };
    const result = await driver.ok("ADD", container, { config: { cniVersion, dns } });
    const [address] = container.addresses("eth0");
    const hasMtu = cniVersion === "1.1.0";
    const mtus = result.interfaces.map((one: { mtu?: number }) => one.mtu);
    assert.deepEqual(mtus, hasMtu ? [1450, 1450, 1450] : [undefined, undefined, undefined]);
    assert.deepEqual(result.ips, [{
      ...cniVersion.startsWith("0") ? { version: "4" } : {},
      interface: 2,
      address,
      gateway: "10.244.7.1",
    }]);
    assert.deepEqual(result.dns, dns);
    const [bridge, near, far] = result.interfaces;
    assert.equal(bridge.name, "cni0");
    assert.equal(bridge.mac, linkGet(driver.host.netlink, "cni0")?.address);
    assert.equal(near.mac, linkGet(driver.host.netlink, near.name)?.address);
    const inside = linkGet(container.namespace.netlink, "eth0");
    assert.deepEqual([far.name, far.mac, far.sandbox], [
      "eth0",
      inside?.address,
      container.netns(),
    ]);
    const routes = routeDump(container.namespace.netlink, { family: 4 })
      .filter(({ gateway }) => gateway !== null)
      .map(({ destination, gateway }) => ({ dst: destination, gw: gateway }));
    const byDestination = (one: { dst: string }, other: { dst: string }) =>
      one.dst < other.dst ? -1 : 1;
    assert.deepEqual(routes.sort(byDestination), result.routes.sort(byDestination));
    assert.equal((await ping(container.namespace, "10.244.7.1")).kind, "answered");
  }
  assert.equal(driver.host.run(() => readSysctl("net.ipv4.ip_forward")), "1");
  assert.deepEqual(driver.hostAddresses("cni0"), [SUBNET]);
}

async function addTwice(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const one = new TestContainer("one");
  const prevResult = await driver.ok("ADD", one);
  const before = JSON.stringify([driver.ledger(), one.addresses()]);
  assert.match(await driver.refused(100, "ADD", one), /eth0 already/);
  assert.equal(JSON.stringify([driver.ledger(), one.addresses()]), before);
  await driver.ok("CHECK", one, { config: { prevResult } });
  const second = await driver.ok("ADD", one, { ifname: "eth1" });
  assert.notEqual(second.ips[0].address, prevResult.ips[0].address);
  assert.equal(one.addresses().length, 2);
}

async function twoNetworks(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const [one, other] = ["one", "other"].map((id) => new TestContainer(id));
  assert(one !== undefined && other !== undefined);
  const another = { name: "another" };
  const first = await driver.ok("ADD", one);
  const second = await driver.ok("ADD", other, { config: another });
  assert.notEqual(second.ips[0].address, first.ips[0].address);
  const valid = [{ containerID: "one", ifname: "eth0" }];
  await driver.ok("GC", null, { config: { "cni.dev/valid-attachments": valid } });
  await driver.ok("DEL", other);
  assert.deepEqual(driver.attached(), ["one", "other"]);
  await driver.ok("GC", null, { config: { ...another, "cni.dev/valid-attachments": valid } });
  assert.deepEqual(driver.attached(), ["one"]);
}

async function check(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const { netlink } = driver.host;
  const one = new TestContainer("one");
  const prevResult = await driver.ok("ADD", one);
  const config = { prevResult };
  await driver.refused(7, "CHECK", one);
  await driver.refused(3, "CHECK", new TestContainer("unknown"), { config });
  await driver.ok("CHECK", one, { config });
  const inside = one.namespace.netlink;
  const index = one.namespace.deviceIndex("eth0");
  const near = driver.host.deviceIndex(prevResult.interfaces[1].name);
  const bridge = driver.host.deviceIndex("cni0");
  const finds = async (says: RegExp, damage: () => void, mend: () => void) => {
    damage();
    assert.match(await driver.refused(102, "CHECK", one, { config }), says);
    mend();
  };
  await finds(
    /is down/,
    () => linkSet(netlink, near, { up: false }),
    () => linkSet(netlink, near, { up: true }),
  );
  await finds(
    /no port/,
    () => linkSet(netlink, near, { master: 0 }),
    () => linkSet(netlink, near, { master: bridge }),
  );
  const gateway = { index: bridge, address: "10.244.7.1", prefixLength: 24 };
  await finds(
    /gateway's address/,
    () => addressDelete(netlink, gateway),
    () => addressAdd(netlink, gateway),
  );
  await driver.ok("CHECK", one, { config });
  const [cidr = ""] = one.addresses("eth0");
  const [address = ""] = cidr.split("/");
  await finds(
    /has not the address/,
    () => addressDelete(inside, { index, address, prefixLength: 24 }),
    () => addressAdd(inside, { index, address, prefixLength: 24 }),
  );
  // The address is back, but the routes went with it.
  assert.match(await driver.refused(102, "CHECK", one, { config }), /no route to/);
  linkDelete(netlink, near);
  assert.match(await driver.refused(102, "CHECK", one, { config }), /no device eth0/);
}

async function del(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const [one, two, three] = ["one", "two", "three"].map((id) => new TestContainer(id));
  assert(one !== undefined && two !== undefined && three !== undefined);
  await driver.ok("DEL", "unknown");
  for (const container of [one, two, three]) await driver.ok("ADD", container);
  const prevResult = { ips: [] };
  await driver.ok("DEL", one, { config: { prevResult } });
  assert.deepEqual([one.addresses(), driver.attached()], [[], ["three", "two"]]);
  await driver.ok("DEL", one);
  await driver.ok("DEL", two, { variables: { CNI_NETNS: undefined } });
  assert.deepEqual([two.addresses(), driver.attached()], [[], ["three"]]);
  const netns = three.netns();
  three.namespace.close();
  driver.holdSubnet(null);
  await driver.ok("DEL", three.id, { variables: { CNI_NETNS: netns } });
  assert.deepEqual([driver.cables(), driver.attached()], [[], []]);
  assert.equal(driver.hostAddresses("cni0").length, 1, "the bridge stays for the next container");
}

async function collect(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const containers = ["one", "two", "three"].map((id) => new TestContainer(id));
  for (const container of containers) await driver.ok("ADD", container);
  await driver.refused(7, "GC", null, { config: { "cni.dev/valid-attachments": [{}] } });
  assert.equal(driver.attached().length, 3);
  const valid = [{ containerID: "two", ifname: "eth0" }, { containerID: "one", ifname: "eth1" }];
  await driver.ok("GC", null, {
    config: { "cni.dev/valid-attachments": valid },
    variables: { CNI_IFNAME: undefined },
  });
  assert.deepEqual(driver.attached(), ["two"]);
  assert.deepEqual(containers.map((one) => one.addresses().length), [0, 1, 0]);
  assert.equal(driver.cables().length, 1);
}

async function killed(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const whole = new TestContainer("whole");
  const began = performance.now();
  await driver.ok("ADD", whole);
  const wholeMs = performance.now() - began;
  const victims: TestContainer[] = [];
  const kill = async (when: (victim: TestContainer) => () => boolean) => {
    const victim = new TestContainer(`victim${victims.length}`);
    victims.push(victim);
    const isTime = when(victim);
    const child = await driver.start("ADD", victim);
    const output = child.output();
    const deadline = performance.now() + KILL_WAIT_MS_MAX;
    while (!isTime() && performance.now() < deadline); // milliseconds; nothing else may come between
    child.kill("SIGKILL");
    return (await output).signal === "SIGKILL";
  };
  const hasAddress = (victim: TestContainer) => () => driver.attached().includes(victim.id);
  const hasCable = (victim: TestContainer) => () =>
    linkGet(victim.namespace.netlink, "eth0") !== null;
  const isNumbered = (victim: TestContainer) => () => victim.addresses().length > 0;
  const moments = [hasAddress, hasCable, isNumbered];
  const counts: number[] = [];
  for (const when of moments) {
    const kills = [await kill(when), await kill(when), await kill(when)];
    counts.push(kills.filter(Boolean).length);
  }
  let early = 0;
  for (let part = 0; part < KILLS; part++) {
    const afterMs = wholeMs * part / KILLS;
    const isKilled = await kill(() => {
      const started = performance.now();
      return () => performance.now() - started > afterMs;
    });
    if (isKilled) early++;
  }
  const [address = 0, cable, numbered] = counts;
  stage.note(
    `killed: ${early} somewhen, ${address} with an address written down, ` +
      `${cable} with a cable, ${numbered} with an address in the container`,
  );
  assert(address > 0 && early > 0, "some were killed on the way");
  assertNoDoubles(driver);
  // A runtime may simply try again, where the device was not made yet, or after DEL.
  for (const victim of victims) {
    if (linkGet(victim.namespace.netlink, "eth0") !== null) await driver.ok("DEL", victim);
    await driver.ok("ADD", victim);
  }
  assertNoDoubles(driver);
  await kill(hasAddress);
  await driver.ok("GC", null, {
    config: { "cni.dev/valid-attachments": [{ containerID: "whole", ifname: "eth0" }] },
  });
  assert.deepEqual(driver.attached(), ["whole"]);
  assert.equal(driver.cables().length, 1);
}

async function full(stage: Stage): Promise<void> {
  const driver = driverOf(stage, "10.244.7.9/29");
  const containers = Array.from({ length: 6 }, (_, at) => new TestContainer(`c${at}`));
  const last = containers.pop();
  assert(last !== undefined);
  for (const container of containers) await driver.ok("ADD", container);
  assert.deepEqual(
    containers.flatMap((one) => one.addresses()),
    [10, 11, 12, 13, 14].map((host) => `10.244.7.${host}/29`),
  );
  assert.match(await driver.refused(101, "ADD", last), /all 5 addresses of 10\.244\.7\.8\/29/);
  await driver.refused(50, "STATUS", null);
  assert.equal(linkGet(last.namespace.netlink, "eth0"), null);
  // Its runtime never called DEL.
  containers[2]?.namespace.close();
  while (driver.cables().length > 4) await new Promise((resolve) => setTimeout(resolve, 5));
  await driver.ok("ADD", last);
  assert.deepEqual(last.addresses(), ["10.244.7.12/29"]);
}

async function resting(stage: Stage): Promise<void> {
  const driver = driverOf(stage, "10.244.7.9/29");
  const [one, two, three] = ["one", "two", "three"].map((id) => new TestContainer(id));
  assert(one !== undefined && two !== undefined && three !== undefined);
  const given: string[] = [];
  for (let round = 0; round < 4; round++) {
    await driver.ok("ADD", one);
    given.push(...one.addresses());
    await driver.ok("DEL", one);
  }
  assert.equal(new Set(given).size, 4, given.join(" "));
  // Behind the last one given out comes the one given back last: it has to wait all the same.
  await driver.ok("ADD", one);
  await driver.ok("ADD", two);
  const [released] = one.addresses();
  await driver.ok("DEL", one);
  await driver.ok("ADD", three);
  assert.notEqual(three.addresses()[0], released);
}

async function atOnce(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const containers = Array.from({ length: AT_ONCE }, (_, at) => new TestContainer(`c${at}`));
  const began = performance.now();
  const results = await Promise.all(containers.map((one) => driver.ok("ADD", one)));
  const addedMs = performance.now() - began;
  assert.equal(new Set(containers.flatMap((one) => one.addresses())).size, AT_ONCE);
  assert.deepEqual(
    results.map(({ ips }) => ips[0].address),
    containers.map((one) => one.addresses()[0]),
  );
  assertNoDoubles(driver);
  const pings = containers.slice(1, 6).map((one) =>
    ping(one.namespace, results[0].ips[0].address.split("/")[0])
  );
  for (const { kind } of await Promise.all(pings)) assert.equal(kind, "answered");
  await Promise.all(containers.map((one) => driver.ok("DEL", one)));
  assert.deepEqual([driver.cables(), driver.attached()], [[], []]);
  stage.note(`${AT_ONCE} ADDs at once: ${addedMs.toFixed(0)} ms`);
}

async function renumbered(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const [old, young, third] = ["old", "young", "third"].map((id) => new TestContainer(id));
  assert(old !== undefined && young !== undefined && third !== undefined);
  await driver.ok("ADD", old);
  driver.holdSubnet("10.244.9.1/24");
  await driver.ok("ADD", young);
  assert.deepEqual(young.addresses(), ["10.244.9.3/24"]);
  assert.deepEqual(driver.hostAddresses("cni0"), ["10.244.7.1/24", "10.244.9.1/24"]);
  assert.equal((await ping(old.namespace, "10.244.9.3")).kind, "answered");
  await driver.ok("DEL", old);
  await driver.ok("ADD", third);
  assert.deepEqual(driver.hostAddresses("cni0"), ["10.244.9.1/24"]);
}

async function foreign(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const { netlink } = driver.host;
  const one = new TestContainer("one");
  const theirs = bridgeAdd(netlink, { name: "cni0", address: "02:00:00:00:00:01", up: true });
  // Said after it was made, it is not the kernel's to change.
  linkSet(netlink, theirs.index, { mtu: 1400 });
  assert.match(await driver.refused(103, "ADD", one), /cni0 was not made by this plugin/);
  assert.deepEqual([driver.attached(), driver.hostAddresses("cni0")], [[], []]);
  // Whoever writes its name means it.
  await driver.ok("ADD", one, { config: { bridge: "cni0" } });
  const now = linkGet(netlink, "cni0");
  assert.deepEqual([now?.address, now?.alias, now?.mtu], [theirs.address, null, 1400]);
  assert.deepEqual(driver.hostAddresses("cni0"), [SUBNET]);
  await driver.ok("DEL", one);
  assert.match(
    await driver.refused(103, "ADD", one, { config: { bridge: "cni1" } }),
    /10\.244\.7\.1.* is on cni0/,
  );
  vethAdd(netlink, { name: "cni2", peer: { name: "other" } });
  assert.match(
    await driver.refused(103, "ADD", one, { config: { bridge: "cni2" } }),
    /another kind \(veth\)/,
  );
  assert.deepEqual(driver.attached(), []);
}

async function families(stage: Stage): Promise<void> {
  const driver = driverOf(stage, null);
  const ipv6 = "FLANNEL_IPV6_NETWORK=fd00:244::/48\nFLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\n";
  driver.holdSubnet(SUBNET, ipv6);
  const both = new TestContainer("both");
  const result = await driver.ok("ADD", both);
  assert.deepEqual(both.addresses(), ["10.244.7.2/24", "fd00:244:0:7::2/64"]);
  assert.deepEqual(
    result.ips.map((one: { gateway: string }) => one.gateway),
    ["10.244.7.1", "fd00:244:0:7::1"],
  );
  assert.equal((await ping(both.namespace, "fd00:244:0:7::1")).kind, "answered");
  await driver.ok("CHECK", both, { config: { prevResult: result } });
  const asked = new TestContainer("asked");
  const runtimeConfig = { ips: ["10.244.7.77"], mac: "0A:00:00:00:00:77" };
  const granted = await driver.ok("ADD", asked, { config: { runtimeConfig } });
  assert.deepEqual(asked.addresses(), ["10.244.7.77/24", "fd00:244:0:7::4d/64"]);
  assert.equal(granted.interfaces[2].mac, "0a:00:00:00:00:77");
  for (const ips of [["10.244.7.77"], ["10.9.9.9"], ["10.244.7.1"]]) {
    const other = new TestContainer("other");
    await driver.refused(7, "ADD", other, { config: { runtimeConfig: { ips } } });
  }
  const alone = driverOf(stage, null);
  const text = `${ipv6}FLANNEL_MTU=1430\nFLANNEL_IPMASQ=false\n`;
  Deno.writeTextFileSync(alone.subnetFile, text);
  const six = new TestContainer("six");
  await alone.ok("ADD", six);
  assert.deepEqual(six.addresses(), ["fd00:244:0:7::2/64"]);
  assert.equal((await ping(six.namespace, "fd00:244:0:7::1")).kind, "answered");
}

/** Every address and every cable belongs to one attachment, whatever happened. */
function assertNoDoubles(driver: CniDriver): void {
  const addresses = driver.ledger().flatMap((one) => one.addresses);
  assert.equal(new Set(addresses).size, addresses.length, addresses.join(" "));
  const known = new Set(driver.ledger().map(({ device }) => device));
  for (const { name } of driver.cables()) assert(known.has(name), `${name} is nobody's`);
}
