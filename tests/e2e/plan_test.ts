/** Plans as commands: a dry run changes nothing, and what a report says makes the same kernel as the agent. */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
import { readSysctl } from "../../ffi/sysctl.ts";
import type { Host } from "../../mod/lab/host.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { DEVICE, startCluster, startOne, untilStatus } from "./cluster.ts";
import { addIpv6, DUAL_STACK } from "./dual_stack_kernel.ts";
import { generateKey, giveKey } from "./encryption.ts";
import { scenario } from "./scenario.ts";

const FLAGS = [DUAL_STACK, "--ip-masq"];
const ACCEPT_RA = `net/ipv6/conf/${UNDERLAY_DEVICE}/accept_ra`;
const NOTHING = /\n# nothing: the kernel is as wanted\n$/;

scenario(import.meta, "plans as commands", { hosts: 3 }, async ({ lab, step }) => {
  const { hosts } = lab;
  const [h1, h2] = [lab.host(1), lab.host(2)];
  const key = await generateKey(h1);
  await step("a dry run of a newcomer leaves no trace", async () => {
    for (const host of hosts) addIpv6(host);
    const { stdout } = await dryRun(h1, "--join=192.168.100.2");
    assert.match(stdout, /^ip address add SUBNET_ADDRESS\/32 dev flannel\.1$/m);
    assert.match(stdout, /^ip address add IPV6_SUBNET_ADDRESS\/128 dev flannel-v6\.1 nodad$/m);
    assert.match(stdout, /^\t\tip saddr SUBNET ip daddr @networks return/m);
    assert.equal(linkGet(h1.namespace.netlink, DEVICE), null);
    for (const folder of [h1.stateDir, h1.runDir]) {
      assert.deepEqual([...Deno.readDirSync(folder)], []);
    }
    assert.equal(await tables(h1), "");
  });
  await step(
    "a report on a running host finds nothing that differs, and tells no key",
    async () => {
      for (const host of hosts) giveKey(host, key);
      await startCluster(hosts, ...FLAGS, `--key-file=${h1.directory}/gossip.key`);
      await untilStatus(h1, "ready", ({ ready }) => ready);
      const report = await reportOf(h1);
      assert.match(report, /\n## What differs now\n\nNothing\.\n/);
      assert.match(report, /"ready": true/);
      assert(!report.includes(key.text), "the key is in the report");
    },
  );
  await step("what a report says, run as a script, is what the agent would make", async () => {
    const commands = /from nothing\n\n```sh\n([^]*?)```/.exec(await reportOf(h1))?.[1] ?? "";
    assert.equal(
      commands.split("\n").filter((line) => line.startsWith("ip route add 10.")).length,
      2,
    );
    await h1.stop();
    await h1.gossamer("cleanup", `--subnet-file=${h1.subnetFile}`);
    const { stdout } = await dryRun(h1);
    const subnet = /\n# subnet: (\S+), which this host held before\n/.exec(stdout)?.[1] ?? "none";
    assert(commands.includes(`ip saddr ${subnet} ip daddr`), `${subnet} is another one`);
    assert.match(stdout, /^ip link add flannel\.1 /m);
    // As distributions are hardened: new devices have no IPv6. And what takes no advertisements goes on to take none.
    h1.namespace.writeSysctl("net/ipv6/conf/default/disable_ipv6", "1");
    h1.namespace.writeSysctl(ACCEPT_RA, "0");
    const { code, stderr } = await h1.namespace.output(["sh", "-e", "-c", commands]);
    assert.equal(code, 0, stderr);
    assert.equal(h1.namespace.run(() => readSysctl(ACCEPT_RA)), "0");
    assert.match((await dryRun(h1)).stdout, NOTHING);
  });
  await step("the agent finds its kernel as wanted, and adds and repairs nothing", async () => {
    const { index } = linkGet(h1.namespace.netlink, DEVICE) ?? {};
    startOne(h1, hosts, ...FLAGS, `--key-file=${h1.directory}/gossip.key`);
    const { overlay } = await untilStatus(h1, "ready", ({ ready }) => ready);
    assert.equal(overlay.repairs, 0);
    assert.equal(linkGet(h1.namespace.netlink, DEVICE)?.index, index);
  });
  await step("a dry run beside a running agent says what other flags would change", async () => {
    const { stdout, stderr } = await dryRun(h2, "--mtu=1300");
    assert.match(stdout, /^ip link set flannel\.1 mtu 1300$/m);
    assert.match(stderr, /an agent runs already/);
    assert.equal(h2.deviceMtu(DEVICE), 1450);
  });
  await step(
    "without an agent a report has what can be found without, and ends with 3",
    async () => {
      await h2.stop();
      const path = `${h2.directory}/report.md`;
      const { code, stdout, stderr } = await h2.gossamer("report", `--output=${path}`);
      assert.equal(code, 3, stderr);
      assert.equal(stdout, "");
      const report = Deno.readTextFileSync(path);
      assert.match(report, /^ok {3}kernel: Linux /m);
      assert.match(report, /^flannel\.1 vxlan up mtu 14\d0 .* alias gossamer$/m);
      assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    },
  );
});

async function dryRun(host: Host, ...flags: readonly string[]) {
  const result = await host.gossamer(
    "up",
    "--dry-run",
    `--name=${host.name}`,
    `--state-dir=${host.stateDir}`,
    `--run-dir=${host.runDir}`,
    ...FLAGS,
    ...flags,
  );
  assert.equal(result.code, 0, result.stderr);
  return result;
}

async function reportOf(host: Host): Promise<string> {
  const { code, stdout, stderr } = await host.gossamer("report");
  assert.equal(code, 0, stderr);
  return stdout;
}

async function tables(host: Host): Promise<string> {
  return (await host.namespace.output(["nft", "list", "ruleset"])).stdout;
}
