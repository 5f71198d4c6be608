/** The CNI plugin by the letter: every command and every error code. */
import assert from "node:assert/strict";
import { addressAdd, addressDelete } from "../../ffi/route/address.ts";
import { linkDelete, linkGet, linkSet } from "../../ffi/route/link.ts";
import { routeDump } from "../../ffi/route/route.ts";
import { readSysctl } from "../../ffi/sysctl.ts";
import { ping } from "../../mod/lab/ping.ts";
import { type CniDriver, newDriver, SUBNET, TestContainer } from "./cni_driver.ts";
import { scenario, type Stage } from "./scenario.ts";

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
    await step("an ADD that fails on the way is undone", () => undone(stage));
    await step("networks share the addresses and nothing else", () => twoNetworks(stage));
    await step("CHECK finds what is missing", () => check(stage));
    await step("DEL takes away, twice, of the unknown, without a namespace", () => del(stage));
    await step("GC keeps what is valid and removes the rest", () => collect(stage));
  },
);

async function version(stage: Stage): Promise<void> {
  const driver = newDriver(stage);
  const supportedVersions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
  for (const cniVersion of ["1.0.0", "9.9.9"]) {
    const answer = await driver.ok("VERSION", null, { input: JSON.stringify({ cniVersion }) });
    assert.deepEqual(answer, { cniVersion, supportedVersions });
  }
  const answer = await driver.ok("VERSION", null, { input: "" });
  assert.deepEqual(answer, { cniVersion: "1.1.0", supportedVersions });
}

async function wrongCalls(stage: Stage): Promise<void> {
  const driver = newDriver(stage);
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
  const driver = newDriver(stage, null);
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
  const driver = newDriver(stage);
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
  const driver = newDriver(stage);
  const one = new TestContainer("one");
  const prevResult = await driver.ok("ADD", one);
  const before = JSON.stringify([driver.ledger(), one.addresses()]);
  assert.match(await driver.refused(100, "ADD", one), /eth0 already/);
  assert.equal(JSON.stringify([driver.ledger(), one.addresses()]), before);
  await driver.ok("CHECK", one, { config: { prevResult } });
  const second = await driver.ok("ADD", one, { ifname: "eth1" });
  assert.notEqual(second.ips[0].address, prevResult.ips[0].address);
  assert.equal(one.addresses().length, 2);
  // The same container again, in a new namespace, while the old one still lives.
  const again = new TestContainer("one");
  await driver.ok("ADD", again);
  assert.deepEqual(again.addresses(), [prevResult.ips[0].address]);
  assert.equal(linkGet(one.namespace.netlink, "eth0"), null);
}

async function undone(stage: Stage): Promise<void> {
  const driver = newDriver(stage);
  const one = new TestContainer("one");
  const refused = [
    [100, { dst: "192.0.2.0/24", gw: "203.0.113.1" }],
    [7, { dst: "somewhere" }],
  ] as const;
  for (const [code, route] of refused) {
    await driver.refused(code, "ADD", one, { config: { ipam: { routes: [route] } } });
    assert.deepEqual([driver.attached(), driver.cables(), one.addresses()], [[], [], []]);
  }
  const route = { dst: "192.0.2.0/24", gw: "10.244.7.9" };
  const { routes } = await driver.ok("ADD", one, { config: { ipam: { routes: [route] } } });
  assert.deepEqual(routes[0], route);
}

async function twoNetworks(stage: Stage): Promise<void> {
  const driver = newDriver(stage);
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
  const driver = newDriver(stage);
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
  const driver = newDriver(stage);
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
  const driver = newDriver(stage);
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
