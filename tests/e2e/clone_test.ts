/**
 * A host is copied with its state directory, and both run: one of the two gives the identity up by itself, without a restart
 * of its process, and everybody talks to everybody afterwards.
 */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
import { decodeClaimMemory, encodeClaimMemory } from "../../mod/claim/memory.ts";
import { machineFingerprint } from "../../mod/host/machine_fingerprint.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import {
  assertKernels,
  DEVICE,
  startCluster,
  statusOf,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";

/** The clones are told apart after three questions, 0.2 s apart; the rest is a claim like any other. */
const RESOLVED_MS = 15_000;

scenario(import.meta, "a cloned state directory resolves itself", { hosts: 4 }, async (stage) => {
  const { lab, step } = stage;
  const [first, original, third, copy] = lab.hosts;
  assert(first && original && third && copy);
  await step("three hosts have a subnet each", async () => {
    await startCluster([first, original, third], ...hookOf(stage));
    await Promise.all([first, third].map((host) => host.addContainer()));
  });
  const { host: { id } } = await statusOf(original);
  const subnetFile = original.subnetText();
  await step(
    "a fourth starts with the state of the second: one of the two is another host soon",
    async () => {
      copyState(original, copy);
      copy.start(`--join=${first.address}`, ...hookOf(stage));
      await until("two identities", [original, copy], async () => {
        const views = await Promise.all([original.status(), copy.status()]);
        return new Set(views.map((view) => view?.host.id)).size === 2 &&
          views.every((view) => view?.ready === true);
      }, RESOLVED_MS);
      assert(original.running && copy.running);
    },
  );
  const views = await Promise.all([original, copy].map(statusOf));
  const [keeper, loser] = views[0]?.host.id === id ? [original, copy] : [copy, original];
  await step("the one keeps identity, subnet and file; the other says what it lost", async () => {
    await waitForMesh(lab.hosts);
    assert.equal((await statusOf(keeper)).host.id, id);
    assert.equal(keeper.subnetText(), subnetFile);
    assert.notEqual(loser.subnetText(), subnetFile);
    const view = await statusOf(loser);
    const problem = view.problems.find(({ code }) => code === "identity-lost");
    assert.match(problem?.text ?? "", new RegExp(`gave up the identity ${id.slice(0, 8)}`));
    assert.match(loser.agent.stderr, /another host runs under this host's identity/);
    assert(!(await statusOf(keeper)).problems.some(({ code }) => code === "identity-lost"));
    const [lost, now] = Deno.readTextFileSync(hookFile(stage)).trim().split(" ");
    const kept = (await statusOf(keeper)).claim.subnet;
    assert.deepEqual([lost, now], [kept, view.claim.subnet]);
    stage.note(`${loser === copy ? "the copy" : "the original"} gave the identity up`);
  });
  await step("everybody talks to everybody", async () => {
    await Promise.all([original, copy].map((host) => host.addContainer()));
    const containers = lab.hosts.flatMap((host) => host.containers);
    for (const from of containers) {
      for (const to of containers) {
        if (from === to) continue;
        const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5_000 });
        assert.equal(outcome.kind, "answered", `${from.address} -> ${to.address}`);
      }
    }
    assertKernels(lab.hosts);
  });
  await step("a restart of both changes nothing any more", async () => {
    const before = [original, copy].map((host) => host.subnetText());
    for (const host of [original, copy]) {
      const status = await host.stop();
      assert.deepEqual([status.code, status.signal], [0, null], `${host.name} ended`);
      host.start();
    }
    for (const host of [original, copy]) {
      await untilStatus(host, "ready", ({ ready, cluster }) => ready && cluster.alive === 4);
    }
    assert.deepEqual([original, copy].map((host) => host.subnetText()), before);
    assert(linkGet(loser.namespace.netlink, DEVICE));
    await waitForMesh(lab.hosts);
  });
  await step("a damaged claim gives way to the copy before it", () => damage(original));
  await step(
    "the state of another machine gives a new identity, unless it is to be kept",
    async () => {
      if (machineFingerprint() === undefined) return stage.note("nothing tells this machine apart");
      await moveMachine(third);
    },
  );
});

async function damage(host: Host): Promise<void> {
  const before = (await statusOf(host)).host.id;
  const subnet = host.subnetText();
  await host.kill();
  Deno.writeFileSync(`${host.stateDir}/claim.state`, new Uint8Array(100));
  host.start();
  const codes = ({ problems }: StatusView) => problems.map(({ code }) => code);
  const view = await untilStatus(host, "ready", ({ ready }) => ready);
  assert.deepEqual([view.host.id, host.subnetText()], [before, subnet]);
  assert(codes(view).includes("claim-damaged"));
  Deno.removeSync(`${host.stateDir}/claim.damaged`);
  assert(!codes(await statusOf(host)).includes("claim-damaged"));
}

async function moveMachine(host: Host): Promise<void> {
  const before = await statusOf(host);
  await host.stop();
  const path = `${host.stateDir}/claim.state`;
  const claim = decodeClaimMemory(Deno.readFileSync(path));
  Deno.writeFileSync(path, encodeClaimMemory({ ...claim, machine: "5a".repeat(16) }));
  host.start();
  const view = await untilStatus(host, "ready", ({ ready }) => ready);
  assert.notEqual(view.host.id, before.host.id);
  assert.notEqual(view.claim.subnet, before.claim.subnet);
  assert(view.problems.some(({ code }) => code === "identity-lost"));
  await host.stop();
  Deno.renameSync(`${host.stateDir}/claim.lost`, path);
  host.start("--keep-identity");
  const after = await untilStatus(host, "ready", ({ ready }) => ready);
  assert.deepEqual([after.host.id, after.claim.subnet], [before.host.id, before.claim.subnet]);
  assert(!after.problems.some(({ code }) => code === "identity-lost"));
}

function hookFile({ folder }: Stage): string {
  return `${folder}/renumbered`;
}

function hookOf(stage: Stage): string[] {
  const file = hookFile(stage);
  return [`--on-renumber=sh -c 'echo "$0 $1" >> ${file}'`];
}

/** What an image of the host has: its whole state directory, while the agent runs. */
function copyState(from: Host, to: Host): void {
  for (const { name, isFile } of Deno.readDirSync(from.stateDir)) {
    if (isFile) Deno.copyFileSync(`${from.stateDir}/${name}`, `${to.stateDir}/${name}`);
  }
}
