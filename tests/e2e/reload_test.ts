/** SIGHUP: the agent reads its file again, does what can change at once, names what cannot, and loses no packet meanwhile. */
import assert from "node:assert/strict";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import type { ContinuousPing } from "../../mod/lab/ping.ts";
import { startCluster, statusOf, until, untilStatus, waitForMesh } from "./cluster.ts";
import { scenario } from "./scenario.ts";
import { assertNothingLost, startTraffic } from "./traffic.ts";

const MTU = 1400;
const SEED_THAT_IS_NONE = "192.168.100.77";

scenario(import.meta, "settings are changed while the agent runs", { hosts: 3 }, async (stage) => {
  const { lab, folder, step } = stage;
  const [one, two, three] = [lab.host(1), lab.host(2), lab.host(3)];
  const file = `${folder}/gossamer.toml`;
  const heard = `${folder}/heard.jsonl`;
  const start = `join = ["${one.address}"]\n`;
  const reload = async (text: string) => {
    Deno.writeTextFileSync(file, text);
    const before = reloads(two);
    two.agent.signal("SIGHUP");
    await until("a reload", [two], () => reloads(two) > before);
    return await statusOf(two);
  };
  let pings: readonly ContinuousPing[] = [];

  await step("two hosts, one of them with a file", async () => {
    await startCluster([one]);
    Deno.writeTextFileSync(file, start);
    two.start(`--config=${file}`);
    await two.waitForSubnet();
    await waitForMesh([one, two]);
    await Promise.all([one.addContainer(), two.addContainer()]);
    pings = await startTraffic(lab, [1, 2]);
  });

  await step("rules, MTU, seeds, log and commands follow at once", async () => {
    const status = await reload(
      start.replace("]", `, "${SEED_THAT_IS_NONE}"]`) + [
        "ip-masq = true",
        'masq-exclude = ["203.0.113.0/24"]',
        'guard = "off"',
        `mtu = ${MTU}`,
        'log-level = "debug"',
        `on-event = "cat >> ${heard}"`,
        `http = "${two.directory}/page.sock"`,
        "",
      ].join("\n"),
    );
    assert.equal(status.overlay.mtu, MTU);
    assert.deepEqual([status.firewall?.masquerade, status.firewall?.guard], [true, false]);
    assert.deepEqual(seedsOf(status), [one.address, SEED_THAT_IS_NONE]);
    assert.match(two.subnetText() ?? "", new RegExp(`FLANNEL_MTU=${MTU}\nFLANNEL_IPMASQ=true`));
    const { stdout } = await two.namespace.output(["nft", "list", "ruleset"]);
    assert.match(stdout, /203\.0\.113\.0\/24/);
    assert(Deno.statSync(`${two.directory}/page.sock`).isSocket);
    // The other host hears of the smaller MTU.
    await untilStatus(one, "MTUs differ", has("mtu-differs"));
    three.start(`--join=${one.address}`);
    await until("the event", [two], () => fileText(heard).includes('"name":"h3"'));
    assert.match(two.agent.stderr, /"level":"debug"/);
  });

  await step("a mistake changes nothing, and is told", async () => {
    const status = await reload(`${start}mtu = 12\n`);
    assert.equal(status.overlay.mtu, MTU);
    const problem = status.problems.find(({ code }) => code === "configuration-refused");
    assert.match(problem?.text ?? "", /gossamer\.toml:2: mtu: "12" is/);
  });

  await step("what needs a restart is named until it is put back", async () => {
    const changed = await reload(`${start}vni = 9\ncluster = "other"\n`);
    const problem = changed.problems.find(({ code }) => code === "restart-needed");
    assert.match(problem?.text ?? "", /: cluster, vni$/);
    assert.equal(changed.overlay.device, "flannel.1");
    const back = await reload(start);
    assert(!has("restart-needed")(back) && !has("configuration-refused")(back));
  });

  await step("all is as at the beginning, and no packet was lost", async () => {
    const status = await statusOf(two);
    assert.equal(status.overlay.mtu, 1450);
    assert.deepEqual([status.firewall?.masquerade, status.firewall?.guard], [false, true]);
    assert.deepEqual(seedsOf(status), [one.address]);
    assert.throws(() => Deno.statSync(`${two.directory}/page.sock`), Deno.errors.NotFound);
    assert.match(two.subnetText() ?? "", /FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false/);
    await assertNothingLost(pings, stage.note);
  });
});

function reloads({ agent }: Host): number {
  return agent.stderr.split("the configuration ").length;
}

function seedsOf({ cluster }: StatusView): string[] {
  return cluster.seeds.map(({ seed }) => seed);
}

function has(code: string): (status: Pick<StatusView, "problems">) => boolean {
  return ({ problems }) => problems.some((problem) => problem.code === code);
}

function fileText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
