/** A cluster that speaks plain becomes an encrypted one by restarts one after the other, and loses nobody. */
import assert from "node:assert/strict";
import { startCluster, startOne, statusOf, waitForMesh } from "./cluster.ts";
import {
  assertNobodyFailed,
  encryptionOf,
  generateKey,
  giveKey,
  keyFileOf,
  listKeys,
  untilWhole,
} from "./encryption.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { scenario, type Stage } from "./scenario.ts";
import { assertNothingLost, startTraffic } from "./traffic.ts";

/** The number of the host whose agent gets no chance to say goodbye. */
const KILLED = 2;

scenario(
  import.meta,
  "a running cluster is encrypted host by host",
  { hosts: 3 },
  async (stage) => {
    const { lab, note, step } = stage;
    await startCluster(lab.hosts);
    await Promise.all(lab.hosts.map((host) => host.addContainer()));
    const traffic = await startTraffic(lab, [1, 2], [2, 3]);
    const key = await generateKey(lab.host(1));
    await step("one after the other gets the key and still speaks plain to the rest", async () => {
      for (const host of lab.hosts) {
        await restart(stage, host, giveKey(host, key), "--plain-gossip");
        const done = lab.hosts.slice(0, host.number);
        const rest = lab.hosts.slice(host.number);
        for (const encrypted of done) {
          const { text } = await plainProblemOf(encrypted);
          if (rest.length === 0) assert.match(text, /every host has a key by now$/);
          else assert(text.endsWith(`: ${rest.map(({ name }) => name).join(", ")}`), text);
        }
        for (const plain of rest) assert.equal(encryptionOf(await statusOf(plain)), null);
        const { keys, unanswered } = await listKeys(host);
        assert.deepEqual(keys.map(({ hosts }) => hosts), [done.length]);
        assert.deepEqual(unanswered.map(({ name }) => name), rest.map(({ name }) => name));
      }
    });
    await step("one after the other stops to speak plain", async () => {
      for (const host of lab.hosts) {
        await restart(stage, host, `--key-file=${keyFileOf(host)}`);
        const status = await statusOf(host);
        assert.deepEqual(encryptionOf(status), {
          fingerprints: [key.fingerprint],
          plainToo: false,
        });
        assert.deepEqual(status.problems.filter(({ code }) => code === "plain-gossip"), []);
      }
    });
    await step("nothing was lost meanwhile", async () => {
      await assertNothingLost(traffic, note);
      assertNobodyFailed(lab.hosts);
    });
  },
);

async function restart({ lab }: Stage, host: Host, ...flags: string[]): Promise<void> {
  if (host.number === KILLED) await host.kill();
  else await host.stop();
  startOne(host, lab.hosts, ...flags);
  for (const each of lab.hosts) await untilWhole(each, lab.hosts.length);
  await waitForMesh(lab.hosts);
}

async function plainProblemOf(host: Host): Promise<StatusView["problems"][number]> {
  const problem = (await statusOf(host)).problems.find(({ code }) => code === "plain-gossip");
  assert(problem !== undefined, `${host.name} says nothing of plain gossip`);
  return problem;
}
