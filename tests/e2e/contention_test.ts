/** Hosts that want the same subnet, and hosts that find nobody to ask. */
import assert from "node:assert/strict";
import { sleep } from "../../mod/lab/ping.ts";
import {
  actualKernel,
  DEVICE,
  startCluster,
  startOne,
  statusOf,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { giveIdentity, sameFirstChoice } from "./identities.ts";
import { scenario } from "./scenario.ts";

/**
 * A pool of exactly as many subnets as hosts. The first host takes one; of the others' first choices among
 * the remaining five, drawn independently, all differ in 5!/5^5 = 4 % of the runs only.
 */
const FULL_POOL = ["--subnet-min=10.244.1.0", "--subnet-max=10.244.6.0"];

/** Two subnets: whoever starts second and third wants the one that is left. */
const LAST_SUBNET = ["--subnet-min=10.244.1.0", "--subnet-max=10.244.2.0"];

scenario(import.meta, "hosts that want the same subnets at once get different ones", {
  hosts: 6,
}, async ({ lab, step }) => {
  const { hosts } = lab;
  await step("five hosts start at once into five free subnets", async () => {
    await startCluster(hosts.slice(0, 1), ...FULL_POOL);
    for (const host of hosts.slice(1)) startOne(host, hosts, ...FULL_POOL);
    const subnets = await Promise.all(hosts.map((host) => host.waitForSubnet()));
    assert.deepEqual(
      subnets.map(({ subnet }) => subnet).sort(),
      [1, 2, 3, 4, 5, 6].map((third) => `10.244.${third}.0/24`),
    );
  });
  await step("everybody agrees who owns what", async () => {
    await waitForMesh(hosts);
    const views = await Promise.all(hosts.map(async (host) => {
      const { members } = await statusOf(host);
      return members.map(({ name, subnet, claim }) => `${name} ${subnet} ${claim}`).sort().join();
    }));
    assert.equal(new Set(views).size, 1, views.join("\n"));
  });
});

scenario(import.meta, "three hosts forced to the same first choice start at once", {
  hosts: 4,
}, async ({ lab, step }) => {
  const { hosts } = lab;
  const [seed] = hosts;
  assert(seed !== undefined);
  await step("one gets it, the others get different ones", async () => {
    await startCluster([seed]);
    const taken = (await seed.waitForSubnet()).subnet;
    const { subnet: wanted, ids } = sameFirstChoice(3, [taken]);
    const rivals = hosts.slice(1);
    rivals.forEach((host, index) => giveIdentity(host, ids[index] ?? ""));
    for (const host of rivals) startOne(host, hosts);
    const subnets = (await Promise.all(hosts.map((host) => host.waitForSubnet())))
      .map(({ subnet }) => subnet);
    assert.equal(new Set(subnets).size, hosts.length, subnets.join());
    assert(subnets.includes(wanted), `nobody got ${wanted}: ${subnets.join()}`);
    await waitForMesh(hosts);
  });
});

scenario(import.meta, "hosts that all list all hosts, themselves too, form one cluster at once", {
  hosts: 3,
}, async ({ lab, step }) => {
  const { hosts } = lab;
  await step("nobody has to be first", async () => {
    const everybody = hosts.map(({ address }) => address).join();
    for (const host of hosts) host.start(`--join=${everybody}`);
    const subnets = await Promise.all(hosts.map((host) => host.waitForSubnet()));
    assert.equal(new Set(subnets.map(({ subnet }) => subnet)).size, hosts.length);
    await waitForMesh(hosts);
  });
});

scenario(import.meta, "two hosts that want the last subnet: one gets it, the other says why not", {
  hosts: 3,
}, async ({ lab, step }) => {
  const { hosts } = lab;
  const [first, second, third] = [lab.host(1), lab.host(2), lab.host(3)];
  await step("exactly one of the two has it", async () => {
    await startCluster([first], ...LAST_SUBNET);
    startOne(second, hosts, ...LAST_SUBNET);
    startOne(third, hosts, ...LAST_SUBNET);
    const winner = await Promise.race([second, third].map(async (host) => {
      await host.waitForSubnet();
      return host;
    }));
    const loser = winner === second ? third : second;
    const status = await untilStatus(loser, "sees all", ({ cluster }) => cluster.alive === 3);
    assert.equal(status.claim.subnet, null);
    assert.equal(status.ready, false);
    assert.equal(loser.subnetText(), null);
    assert.deepEqual(actualKernel(loser).routes, []);
    const said = await loser.gossamer("status");
    assert.equal(said.code, 4);
    assert.match(said.stdout, /10\.244\.0\.0\/16|no free subnet|pool/i);
    await waitForMesh([first, winner]);
  });
});

scenario(import.meta, "a host whose seeds are all down waits, says so and joins later", {
  hosts: 3,
}, async ({ lab, step, note }) => {
  const [seed, waiter] = [lab.host(1), lab.host(2)];
  const nobody = lab.host(3);
  await step("it runs, claims nothing and touches no kernel table", async () => {
    waiter.start(`--join=${seed.address},${nobody.address}`);
    const status = await untilStatus(waiter, "answers", ({ claim }) => claim.state === "none");
    assert.equal(status.ready, false);
    await sleep(1500); // Longer than any of its waits for an answer: it must still not have claimed.
    assert.equal(waiter.running, true, `${waiter.name} ended`);
    assert.equal(waiter.subnetText(), null);
    assert.equal(waiter.deviceMtu(DEVICE), null);
  });
  await step("status names the seeds, says what to do and ends with exit code 4", async () => {
    const { code, stdout, stderr } = await waiter.gossamer("status");
    assert.equal(code, 4);
    const text = stdout + stderr;
    assert(text.includes(seed.address), `no ${seed.address} in:\n${text}`);
    assert(text.includes(nobody.address), `no ${nobody.address} in:\n${text}`);
    assert.match(text, /--bootstrap/);
  });
  await step("it joins when one of them appears", async () => {
    seed.start();
    await seed.waitForSubnet();
    const appeared = performance.now();
    await waiter.waitForSubnet(40_000);
    note(`joined ${((performance.now() - appeared) / 1000).toFixed(1)} s after the seed was up`);
    await waitForMesh([seed, waiter]);
    assert.equal((await waiter.gossamer("status")).code, 0);
  });
});
