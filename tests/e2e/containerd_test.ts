/** Real containerd on two hosts, with this program as its CNI plugin: containers reach each other by address. */
import assert from "node:assert/strict";
import { linkDump, linkGet } from "../../ffi/route/link.ts";
import { startCluster } from "./cluster.ts";
import { ContainerdHost, whyNoContainerd } from "./containerd_host.ts";
import { busyboxArchive } from "./docker_daemon.ts";
import { scenario } from "./scenario.ts";

/** Containers that are started at the same moment, on both hosts together. */
const AT_ONCE = 50;

const names = Array.from({ length: AT_ONCE / 2 }, (_, at) => `c${at}`);

scenario(import.meta, "containerd's containers on two hosts reach each other by address", {
  hosts: 2,
  leftOut: whyNoContainerd(),
}, async ({ lab: { hosts }, folder, executable, step, note }) => {
  await busyboxArchive(folder);
  const rootfs = `${folder}/rootfs`;
  await Deno.symlink("busybox", `${rootfs}/bin/ip`);
  const engines = await Promise.all(hosts.map((host) => ContainerdHost.open(host, rootfs)));
  const [one, two] = engines;
  assert(one !== undefined && two !== undefined);

  await step("gossamer cni install is all that containerd needs", async () => {
    for (const engine of engines) {
      const line = `${executable} cni install --subnet-file=${engine.host.subnetFile}`;
      assert.match(await engine.ok(line), /gossamer: made.*\n.*conflist: made/);
      assert.match(await engine.ok(line), /gossamer: unchanged\n.*conflist: unchanged/);
    }
  });
  await step("before the subnet is held no container starts", async () => {
    const { code } = await one.run(one.runLine("early", "exit 0"));
    assert.notEqual(code, 0);
    const said = await Deno.readTextFile(`${one.host.directory}/early.log`);
    assert.match(said, /this host has no subnet yet/);
    await startCluster(hosts);
  });
  await step("containers reach each other with full packets", async () => {
    const addresses = await Promise.all(engines.map((engine) => engine.start("a")));
    for (const [at, engine] of engines.entries()) {
      const { mtu } = await engine.host.waitForSubnet();
      const other = addresses[1 - at]?.[0] ?? "";
      await assertReaches(engine, "a", other, mtu - 28);
      // ctr may end before it has passed on what a short command said.
      let link = "";
      await engine.until(async () => {
        link = (await engine.exec("a", "/bin/ip link show eth0")).stdout;
        return link !== "";
      });
      assert.match(link, new RegExp(`mtu ${mtu}`));
    }
  });
  await step("the agent's death and cleanup leave containers alone", async () => {
    const address = await two.address("a");
    await one.host.kill();
    await assertReaches(one, "a", address);
    const { stdout } = await one.host.gossamer("cleanup", "--dry-run");
    assert.doesNotMatch(stdout, /cni0|veth/);
    one.host.start(`--join=${two.host.address}`);
    await one.host.waitForSubnet();
  });
  await step("a container that is stopped and started again is reached again", async () => {
    const before = await one.address("a");
    await one.stop("a");
    assert.equal(cables(one), 0);
    const [after = ""] = await one.start("a");
    assert.notEqual(after, before, "an address rests");
    await assertReaches(two, "a", after);
  });
  await step(`${AT_ONCE} started at once have an address each`, async () => {
    const began = performance.now();
    const addresses = (await Promise.all(engines.map((engine) => engine.start(...names)))).flat();
    note(`${AT_ONCE} containers at once: ${(performance.now() - began).toFixed(0)} ms`);
    assert.equal(new Set(addresses).size, AT_ONCE, addresses.join(" "));
    const far = addresses.slice(names.length);
    for (const at of [0, 11, 24]) await assertReaches(one, names[at] ?? "", far[24 - at] ?? "");
  });
  await step("what has ended leaves nothing, and uninstall the rest", async () => {
    for (const engine of engines) {
      assert.match(
        (await engine.run(`${executable} cni uninstall`)).stderr,
        /26 containers are still on/,
      );
    }
    await Promise.all(engines.map((engine) => engine.stop("a", ...names)));
    for (const engine of engines) {
      assert.equal(cables(engine), 0);
      assert.match(await engine.ok("cat /run/cni/gossamer/ledger.json"), /"attachments":\[\]/);
      const line = `${executable} cni uninstall --subnet-file=${engine.host.subnetFile}`;
      assert.match(
        await engine.ok(line),
        /conflist: removed\n.*gossamer: removed\nbridge cni0: removed/,
      );
      assert.equal(linkGet(engine.host.namespace.netlink, "cni0"), null);
      await engine.close();
    }
  });
});

async function assertReaches(
  engine: ContainerdHost,
  from: string,
  address: string,
  payloadBytes = 56,
): Promise<void> {
  const command = `/bin/ping -c 2 -W 2 -s ${payloadBytes} ${address}`;
  const { code, stdout } = await engine.exec(from, command);
  assert.equal(code, 0, `${from} of ${engine.host.name} to ${address}: ${stdout}`);
}

/** How many cables of containers the host has. */
function cables(engine: ContainerdHost): number {
  return linkDump(engine.host.namespace.netlink)
    .filter(({ alias }) => alias?.startsWith("gossamer cni ") === true).length;
}
