/** What the CNI plugin's built-in bridge gives out and makes, whoever is killed, starts at once, or has other plans. */
import assert from "node:assert/strict";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { linkGet, linkSet } from "../../ffi/route/link.ts";
import { vethAdd } from "../../ffi/route/veth.ts";
import { ping } from "../../mod/lab/ping.ts";
import { type CniDriver, newDriver, SUBNET, TestContainer } from "./cni_driver.ts";
import { scenario, type Stage } from "./scenario.ts";

/** Different moments at which an ADD is killed. */
const KILLS = 8;
/** Longer than any ADD takes. */
const KILL_WAIT_MS_MAX = 2_000;
const AT_ONCE = 50;

scenario(
  import.meta,
  "the CNI plugin's bridge and addresses",
  { hosts: 0 },
  async (stage) => {
    const { step } = stage;
    await step("an ADD killed at any moment leaves nothing for good", () => killed(stage));
    await step("addresses run out, and come back from containers that are gone", () => full(stage));
    await step("an address rests before it is given out again", () => resting(stage));
    await step(`${AT_ONCE} at once get different addresses`, () => atOnce(stage));
    await step("another subnet: old containers keep their gateway", () => renumbered(stage));
    await step("bridges and addresses of others are left alone", () => foreign(stage));
    await step("dual stack, IPv6 alone, and what the runtime asks for", () => families(stage));
  },
);

async function killed(stage: Stage): Promise<void> {
  const driver = newDriver(stage);
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
  const driver = newDriver(stage, "10.244.7.9/29");
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
  // A runtime that asks first must not be told that there is no room.
  await driver.ok("STATUS", null);
  await driver.ok("ADD", last);
  assert.deepEqual(last.addresses(), ["10.244.7.12/29"]);
  // One of them comes back under another ID and with the address that it always had.
  containers[3]?.namespace.close();
  while (driver.cables().length > 4) await new Promise((resolve) => setTimeout(resolve, 5));
  const back = new TestContainer("back");
  await driver.ok("ADD", back, { config: { runtimeConfig: { ips: ["10.244.7.13/29"] } } });
  assert.deepEqual(back.addresses(), ["10.244.7.13/29"]);
}

async function resting(stage: Stage): Promise<void> {
  const driver = newDriver(stage, "10.244.7.9/29");
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
  const driver = newDriver(stage);
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
  const driver = newDriver(stage);
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
  const driver = newDriver(stage);
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
  const driver = newDriver(stage, null);
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
  const byArgs = new TestContainer("by-args");
  const CNI_ARGS = "IgnoreUnknown=1;IP=10.244.7.88;MAC=0a:00:00:00:00:88";
  const named = await driver.ok("ADD", byArgs, { variables: { CNI_ARGS } });
  assert.deepEqual(byArgs.addresses(), ["10.244.7.88/24", "fd00:244:0:7::58/64"]);
  assert.equal(named.interfaces[2].mac, "0a:00:00:00:00:88");
  const alone = newDriver(stage, null);
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
