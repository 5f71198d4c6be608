/** The CNI plugin in flannel's place: other plugins do the work, the real ones of containernetworking. */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
import { ping } from "../../mod/lab/ping.ts";
import { CniDriver, newDriver, SUBNET, TestContainer } from "./cni_driver.ts";
import { scenario, type Stage } from "./scenario.ts";

const PLUGINS = "/usr/lib/cni";

function whyNot(): string | undefined {
  const missing = ["bridge", "host-local", "portmap"].filter((name) => {
    try {
      return !Deno.statSync(`${PLUGINS}/${name}`).isFile;
    } catch {
      return true;
    }
  });
  return missing.length === 0
    ? undefined
    : `needs ${missing.join(" and ")}; apt-get install containernetworking-plugins`;
}

/** A network as flannel's stock configuration has it, of the newest version that Debian's plugins speak. */
function driverOf(stage: Stage): CniDriver {
  const path = `/nowhere:${PLUGINS}`;
  const driver = newDriver(stage, SUBNET, { path, needsOwnProc: true });
  driver.config = {
    ...driver.config,
    cniVersion: "1.0.0",
    name: "cbr0",
    type: "flannel",
    delegate: { hairpinMode: true, isDefaultGateway: true },
    // host-local would keep its state below /var/lib.
    ipam: { dataDir: `${driver.dataDir}/../host-local` },
  };
  return driver;
}

scenario(
  import.meta,
  "the CNI plugin delegates as flannel's does",
  { hosts: 0, leftOut: whyNot() },
  async (stage) => {
    const { step } = stage;
    await step("ADD, CHECK and DEL by bridge and host-local", () => lifeCycle(stage));
    await step("what fails there is the answer, and is taken back", () => failures(stage));
    await step("GC deletes what is not valid", () => collect(stage));
    await step("portmap behind the built-in bridge keeps its result", () => chain(stage));
  },
);

async function lifeCycle(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const one = new TestContainer("one");
  const prevResult = await driver.ok("ADD", one);
  assert.deepEqual(one.addresses(), ["10.244.7.2/24"]);
  assert.equal(linkGet(one.namespace.netlink, "eth0")?.mtu, 1450);
  assert.equal((await ping(one.namespace, "10.244.7.1")).kind, "answered");
  const kept = JSON.parse(Deno.readTextFileSync(`${driver.dataDir}/one`));
  assert.deepEqual([kept.type, kept.name, kept.mtu, kept.ipMasq, kept.isGateway], [
    "bridge",
    "cbr0",
    1450,
    false,
    true,
  ]);
  assert.deepEqual(kept.ipam.ranges, [[{ subnet: "10.244.7.0/24" }]]);
  assert.deepEqual(kept.ipam.routes, [{ dst: "10.244.0.0/16" }]);
  assert.equal((Deno.statSync(`${driver.dataDir}/one`).mode ?? 0) & 0o777, 0o600);
  await driver.ok("CHECK", one, { config: { prevResult } });
  // A second device of the same container, which flannel's plugin would lose.
  await driver.ok("ADD", one, { ifname: "eth1" });
  assert.equal(one.addresses().length, 2);
  driver.holdSubnet(null);
  await driver.ok("DEL", one, { ifname: "eth1" });
  await driver.ok("DEL", one, { config: { prevResult } });
  await driver.ok("DEL", one);
  await driver.ok("DEL", "unknown");
  assert.deepEqual([one.addresses(), names(driver.dataDir)], [[], []]);
  const reserved = names(`${driver.dataDir}/../host-local/cbr0`).filter((name) => /^\d/.test(name));
  assert.deepEqual(reserved, []);
}

async function failures(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const one = new TestContainer("one");
  const delegate = { type: "bridge", bridge: "lo" };
  const said = await driver.refused(100, "ADD", one, { config: { delegate } });
  assert.match(said, /lo\b.*bridge/);
  assert.deepEqual(names(driver.dataDir), []);
  driver.holdSubnet(null);
  await driver.refused(11, "ADD", one);
  await driver.refused(50, "STATUS", null, { config: { cniVersion: "1.1.0" } });
  driver.holdSubnet(SUBNET);
  await driver.ok("STATUS", null, { config: { cniVersion: "1.1.0" } });
  await driver.ok("ADD", one);
  await driver.refused(100, "ADD", one);
  assert.deepEqual(names(driver.dataDir), ["one"], "what was there stays");
  await driver.ok("DEL", one);
  await driver.refused(3, "CHECK", one, { config: { prevResult: {} } });
}

async function collect(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const [one, two] = ["one", "two"].map((id) => new TestContainer(id));
  assert(one !== undefined && two !== undefined);
  await driver.ok("ADD", one);
  await driver.ok("ADD", two);
  await driver.ok("ADD", two, { ifname: "eth1" });
  const valid = [{ containerID: "two", ifname: "eth1" }];
  const config = { cniVersion: "1.1.0", "cni.dev/valid-attachments": valid };
  one.namespace.close();
  await driver.ok("GC", null, { config });
  assert.deepEqual(names(driver.dataDir), ["two:eth1"]);
  await driver.ok("DEL", two, { ifname: "eth1" });
  await driver.ok("DEL", two);
  assert.deepEqual(names(driver.dataDir), []);
}

async function chain(stage: Stage): Promise<void> {
  const driver = driverOf(stage);
  const { delegate: _delegate, ipam: _ipam, ...rest } = driver.config;
  driver.config = { ...rest, type: "gossamer" };
  const one = new TestContainer("one");
  const prevResult = await driver.ok("ADD", one);
  const runtimeConfig = {
    portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
  };
  const portmap = new CniDriver({
    host: driver.host,
    command: [`${PLUGINS}/portmap`],
    folder: stage.folder,
    needsOwnProc: true,
  });
  const config = { ...driver.config, type: "portmap", prevResult, runtimeConfig };
  const result = await portmap.ok("ADD", one, { config });
  assert.deepEqual(result, { ...prevResult, cniVersion: "1.0.0" });
  await driver.ok("CHECK", one, { config: { prevResult: result } });
  await portmap.ok("DEL", one, { config: { ...config, prevResult: result } });
  await driver.ok("DEL", one, { config: { prevResult: result } });
  assert.deepEqual(driver.cables(), []);
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
