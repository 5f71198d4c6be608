/**
 * Operators change the pool while the cluster runs: it grows, parts of it are reserved, a subnet is pinned to a host; and
 * whatever each side of a split was told, all have one record after it.
 */
import assert from "node:assert/strict";
import { addressAdd, addressDelete } from "../../ffi/route/address.ts";
import { linkGet } from "../../ffi/route/link.ts";
import type { PoolDocument } from "../../mod/agent/api.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import {
  assertKernels,
  DEVICE,
  networkAddress,
  startOne,
  statusOf,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { scenario } from "./scenario.ts";

const BASE = "10.80.0.0/26";
/** Three subnets, as the first one is left out; of what is added as well. */
const SMALL = [`--network=${BASE}`, "--subnet-len=28"];
const ADDED = "10.81.0.0/26";

/** The underlay by addresses that containers will have as well, once that network is in the pool. */
const ANY_ADDED = ["--iface-regex=^10\\.81\\.", "--iface-regex=^eth0$"];

/** What the two sides of a split are told: one change here, two there. */
const LEFT = "10.82.0.0/27";
const RIGHT = ["10.83.0.0/27", "10.84.0.0/27"];

/** Long enough that nobody passes the news on any more when the sides meet again. */
const SPLIT_MS = 4_000;
/** Members compare what they know every 30 s; who hears of somebody again does so at once. */
const HEAL_MS_MAX = 60_000;

scenario(import.meta, "a pool that grows, is reserved and pinned while the cluster runs", {
  hosts: 5,
}, async ({ lab, step, note }) => {
  const { hosts } = lab;
  const three = hosts.slice(0, 3);
  const [h1, h2, h4, h5] = [lab.host(1), lab.host(2), lab.host(4), lab.host(5)];
  const start = (host: Host) =>
    startOne(host, hosts, ...SMALL, hookOf(host), ...(host === h4 ? ANY_ADDED : []));

  await step("a fourth host waits while three have all there is", async () => {
    for (const host of three) {
      start(host);
      await host.waitForSubnet();
    }
    start(h4);
    await untilStatus(h4, "h4 waits", isWaiting);
  });
  await step(
    "the pool grows: it has a subnet, and every subnet.env lists the network",
    async () => {
      const before = three.map(subnetOf);
      await pool(h2, "grow", ADDED);
      const { subnet } = await h4.waitForSubnet();
      assert.match(subnet, /^10\.81\.0\.\d+\/28$/);
      const wanted = [BASE, ADDED].join();
      await until(
        "subnet.env has both networks",
        hosts,
        () => [...three, h4].every((host) => networksOf(host) === wanted),
      );
      assert.deepEqual(three.map(subnetOf), before);
      await waitForMesh([...three, h4]);
    },
  );
  await step("a network is not taken away from its holder, who is named", async () => {
    const { code, stderr } = await h1.gossamer("pool", "shrink", ADDED);
    assert.equal(code, 1);
    const says = `1 host has a subnet of ${ADDED}: ${subnetOf(h4)} by h4 (`;
    assert(stderr.includes(says), stderr);
    assert.match(stderr, /gossamer leave --release there, or gossamer forget/);
    assert.equal(networksOf(h4), [BASE, ADDED].join());
  });
  await step("nobody claims what is reserved, and its holder keeps it", async () => {
    await pool(h1, "reserve", ADDED);
    start(h5);
    await untilStatus(h5, "h5 waits", isWaiting);
    const { reserved } = await poolOf(h5);
    assert.deepEqual(reserved.map(({ network, holders }) => [network, holders[0]?.subnet]), [
      [ADDED, subnetOf(h4)],
    ]);
    await pool(h4, "unreserve", ADDED);
    await h5.waitForSubnet();
    await waitForMesh(hosts);
  });
  await step("a pin on another host's subnet takes force, and moves that host once", async () => {
    const [wanted, own] = [subnetOf(h1), subnetOf(h5)];
    const refused = await h2.gossamer("pool", "pin", "h5", wanted);
    assert.equal(refused.code, 1);
    assert(refused.stderr.includes(`${wanted} is claimed by h1 (`), refused.stderr);
    assert.match(refused.stderr, /--force/);
    await pool(h2, "pin", "h5", wanted, "--force");
    await until("h1 has another subnet", hosts, () => subnetOf(h1) !== wanted);
    await until("the command of h1 has run", hosts, () => hookRuns(h1).length > 0);
    // A host that runs keeps what it holds.
    await untilStatus(h5, "h5 is told of the pin", has("pin-waits"));
    assert.equal(subnetOf(h5), own);
    await h5.stop();
    start(h5);
    await until("h5 has its pin", hosts, () => h5.running && subnetOf(h5) === wanted);
    await waitForMesh(hosts);
    await until("the command of h5 has run", hosts, () => hookRuns(h5).length > 0);
    assert.deepEqual(hosts.map(hookRuns), [
      [`${wanted} ${subnetOf(h1)}`],
      [],
      [],
      [],
      [`${own} ${wanted}`],
    ]);
    assert.equal((await statusOf(h1)).claim.renumberings, 1);
  });
  await step(
    "all are killed and start again: the pool and every subnet are what they were",
    async () => {
      await h4.addContainer(); // on a bridge in the added network, which is no underlay
      const [subnets, document] = [hosts.map(subnetOf), await poolOf(h1)];
      await Promise.all(hosts.map((host) => host.kill()));
      for (const host of hosts) {
        Deno.removeSync(host.subnetFile);
        start(host);
      }
      await Promise.all(hosts.map((host) => host.waitForSubnet()));
      await waitForMesh(hosts);
      assert.deepEqual(hosts.map(subnetOf), subnets);
      for (const host of hosts) assert.deepEqual(await poolOf(host), document, host.name);
      assert.deepEqual(hosts.map((host) => hookRuns(host).length), [1, 0, 0, 0, 1]);
    },
  );
  await step("both sides of a split change the pool, and have one record after it", async () => {
    const subnets = hosts.map(subnetOf);
    lab.partition(hosts.slice(0, 2), hosts.slice(2));
    await pool(h1, "grow", LEFT);
    for (const network of RIGHT) await pool(h4, "grow", network);
    const listed = (networks: string[]) => [BASE, ADDED, ...networks].join();
    await until(
      "each side has its own",
      hosts,
      () => networksOf(h2) === listed([LEFT]) && networksOf(h5) === listed(RIGHT),
    );
    await sleep(SPLIT_MS);
    lab.heal();
    const healedMs = await until(
      "all list the networks of the side with two changes",
      hosts,
      () => hosts.every((host) => networksOf(host) === listed(RIGHT)),
      HEAL_MS_MAX,
    );
    note(`one record everywhere ${Math.round(healedMs)} ms after the split`);
    const document = await poolOf(h1);
    for (const host of hosts) assert.deepEqual(await poolOf(host), document, host.name);
    await waitForMesh(hosts);
    assert.deepEqual(hosts.map(subnetOf), subnets);
    assertKernels(hosts);
  });
  await step("cleanup takes what is ours in an added network, also without a mark", async () => {
    await h4.kill();
    const { namespace: { netlink } } = h4;
    const index = h4.namespace.deviceIndex(DEVICE);
    const own = { index, address: networkAddress(subnetOf(h4)), prefixLength: 32 };
    addressDelete(netlink, own);
    addressAdd(netlink, own); // as on kernels before 5.18, which keep no mark on addresses
    const { code, stderr } = await h4.gossamer("cleanup", `--subnet-file=${h4.subnetFile}`);
    assert.equal(code, 0, stderr);
    assert.equal(linkGet(netlink, DEVICE), null, stderr);
  });
});

/** An operator's command, which is not refused. */
async function pool(host: Host, ...words: string[]): Promise<void> {
  const { code, stderr } = await host.gossamer("pool", ...words);
  assert.equal(code, 0, stderr);
}

async function poolOf(host: Host): Promise<PoolDocument> {
  const { code, stdout, stderr } = await host.gossamer("pool", "show", "--json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function isWaiting({ claim }: StatusView): boolean {
  return claim.stage === "waiting";
}

function has(problem: string): (status: StatusView) => boolean {
  return ({ problems }) => problems.some(({ code }) => code === problem);
}

function subnetOf(host: Host): string {
  const text = host.subnetText();
  assert(text !== null, `${host.name} has a subnet`);
  return parseSubnetFile(text).subnet;
}

/** What subnet.env lists, with commas. */
function networksOf(host: Host): string | undefined {
  return /^FLANNEL_NETWORK=(.*)$/m.exec(host.subnetText() ?? "")?.[1];
}

/** The command writes down what it is run with. */
function hookOf(host: Host): string {
  return `--on-renumber=>>${host.directory}/renumbered printf '%s %s\\n'`;
}

function hookRuns(host: Host): string[] {
  try {
    return Deno.readTextFileSync(`${host.directory}/renumbered`).trimEnd().split("\n");
  } catch {
    return [];
  }
}
