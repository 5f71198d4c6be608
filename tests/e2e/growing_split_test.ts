/**
 * A split during which both sides gain hosts, two of which choose the same subnet without a chance to hear of each other.
 * When the split is healed exactly one of the two changes its subnet, once, and nobody else does.
 */
import assert from "node:assert/strict";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import type { Lab } from "../../mod/lab/lab.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { parseMetrics } from "../support/prometheus.ts";
import {
  assertKernels,
  startCluster,
  startOne,
  statusOf,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { giveIdentity, sameFirstChoice } from "./identities.ts";
import { scenario } from "./scenario.ts";

/** Before a newcomer claims, its side must have given up the other for dead. */
const NEWCOMER_MS_MAX = 120_000;
const CHANGE_MS_MAX = 60_000;
const QUIET_MS_MAX = 60_000;

/** A suspicion that nobody confirms lasts 24 s at most, and each of the lost must be probed first. */
const DEATHS_MS_MAX = 60_000;
/** Each side tries one of the lost every 15 s or so, at random: eight times that is enough for bad luck. */
const HEAL_MS_MAX = 120_000;
const HOSTS = 4;
const GAINED = 4;

scenario(import.meta, "a split in which both sides gain hosts, and give one subnet away twice", {
  hosts: HOSTS,
  timeLimitMs: 420_000,
}, async ({ lab, step, note }) => {
  const sides = [lab.hosts.slice(0, HOSTS / 2), lab.hosts.slice(HOSTS / 2)] as const;
  await step("each side declares the other dead", async () => {
    await startCluster(lab.hosts);
    lab.partition(...sides);
    const isSplit = ({ cluster }: StatusView) => cluster.dead === HOSTS / 2;
    await untilAll(lab.hosts, "sees the split", isSplit, DEATHS_MS_MAX);
  });
  let grown: GrownSplit | null = null;
  await step("both gain hosts, and two of them have the same subnet", async () => {
    grown = await growApart(lab, sides);
  });
  const healedAtMs = performance.now();
  await step("healed: everybody sees everybody", async () => {
    lab.heal();
    const isWhole = ({ cluster }: StatusView) => cluster.alive === HOSTS + GAINED;
    await untilAll(lab.hosts, "sees all", isWhole, HEAL_MS_MAX);
  });
  await step(
    "exactly one of the two changes its subnet, once, and everybody knows why",
    async () => {
      assert(grown !== null);
      await assertOneYielded(grown, note);
      note(`${((performance.now() - healedAtMs) / 1000).toFixed(1)} s after the split was healed`);
    },
  );
});

async function untilAll(
  hosts: readonly Host[],
  what: string,
  holds: (status: StatusView) => boolean,
  withinMs: number,
): Promise<void> {
  await Promise.all(
    hosts.map((host) => untilStatus(host, `${host.name} ${what}`, holds, withinMs)),
  );
}

/** Both sides of a split, with the hosts that they gained. */
interface GrownSplit {
  readonly lab: Lab;
  /** Hosts of either side that hold one and the same subnet. */
  readonly twins: readonly [Host, Host];
  readonly contested: string;
  /** What each host held before the split was healed. */
  readonly subnets: ReadonlyMap<Host, string>;
}

/** Gives each side of a lab that is split a host that wants the same subnet as one of the other side, and another host. */
async function growApart(
  lab: Lab,
  sides: readonly [readonly Host[], readonly Host[]],
): Promise<GrownSplit> {
  const taken = lab.hosts.map(subnetOf);
  const { subnet: contested, ids } = sameFirstChoice(2, taken);
  const [one, other] = [await lab.addHost(), await lab.addHost()];
  const [left, right] = [[...sides[0], one], [...sides[1], other]];
  lab.partition(left, right);
  for (const [index, twin] of [one, other].entries()) {
    giveIdentity(twin, ids[index] ?? "");
    startOne(twin, sides[index] ?? [], hookOf(twin));
  }
  await Promise.all([one, other].map((twin) => twin.waitForSubnet(NEWCOMER_MS_MAX)));
  const further = [await lab.addHost(), await lab.addHost()];
  lab.partition([...left, ...further.slice(0, 1)], [...right, ...further.slice(1)]);
  for (const [index, host] of further.entries()) startOne(host, sides[index] ?? [], hookOf(host));
  await Promise.all(further.map((host) => host.waitForSubnet(NEWCOMER_MS_MAX)));
  const subnets = new Map(lab.hosts.map((host) => [host, subnetOf(host)]));
  assert.deepEqual([subnets.get(one), subnets.get(other)], [contested, contested]);
  return { lab, twins: [one, other], contested, subnets };
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

function subnetOf(host: Host): string {
  const text = host.subnetText();
  assert(text !== null, `${host.name} has a subnet`);
  return networkOf(parseSubnetFile(text).subnet);
}

/** `10.244.7.0/24` of what subnet.env says, which names the first address. */
function networkOf(subnet: string): string {
  return subnet.replace(/\.\d+\//, ".0/");
}

/** After the split was healed and everybody sees everybody: one change, on one side, once, and everybody knows why. */
async function assertOneYielded(
  grown: GrownSplit,
  note: (text: string) => void,
): Promise<void> {
  const { lab, twins, contested, subnets } = grown;
  await until("one of the two has another subnet", lab.hosts, () => {
    return twins.some((twin) => subnetOf(twin) !== contested);
  }, CHANGE_MS_MAX);
  await waitForMesh(lab.hosts, QUIET_MS_MAX);
  const moved = lab.hosts.filter((host) => subnetOf(host) !== subnets.get(host));
  assert.equal(moved.length, 1, moved.map(({ name }) => name).join());
  const [loser] = moved;
  const winner = twins.find((twin) => twin !== loser);
  assert(loser !== undefined && winner !== undefined && twins.includes(loser));
  note(`${loser.name} yielded ${contested} to ${winner.name} and has ${subnetOf(loser)}`);
  await until("the renumber command has run", [loser], () => hookRuns(loser).length > 0);
  for (const host of lab.hosts) {
    const runs: string[] = host === loser ? [`${contested} ${subnetOf(loser)}`] : [];
    assert.deepEqual(hookRuns(host), runs, `${host.name}: OLD NEW, once`);
  }
  await assertTold(grown, winner, loser);
  assertKernels(lab.hosts);
}

/** Status, subnets --why and metrics of those concerned, also after a restart. */
async function assertTold(
  { lab, contested }: GrownSplit,
  winner: Host,
  loser: Host,
): Promise<void> {
  for (const host of lab.hosts) {
    const { claim } = await statusOf(host);
    assert.equal(claim.renumberings, host === loser ? 1 : 0, `${host.name}: subnets changed`);
    assert.equal(claim.stage, "held", host.name);
  }
  const lost = (await statusOf(loser)).claim.lastConflict;
  assert.deepEqual([lost?.subnet, lost?.won], [contested, false]);
  assert.match(lost?.why ?? "", / wins: /);
  // The winner may never hear of it: who yields before the two have met is known to it with the next subnet only.
  const { lastConflict: won } = (await statusOf(winner)).claim;
  if (won !== null) assert.deepEqual([won.subnet, won.won], [contested, true]);
  assert.equal(await metricOf(loser, "gossamer_claim_renumberings_total", ""), 1);
  assert.equal(await metricOf(loser, "gossamer_claim_conflicts_total", '{outcome="lost"}'), 1);
  const why = await lab.host(1).gossamer("subnets", `--why=${contested}`);
  assert.equal(why.code, 0, why.stderr);
  assert.match(why.stdout, new RegExp(`belongs to ${winner.name} `));
  await loser.kill();
  startOne(loser, lab.hosts, hookOf(loser));
  const { claim, problems } = await untilStatus(
    loser,
    `${loser.name} is back`,
    ({ ready }) => ready,
    QUIET_MS_MAX,
  );
  assert.deepEqual(claim.history.map(({ kind }) => kind), ["renumbered", "conflict"]);
  assert(problems.every(({ code }) => code !== "renumbered"), "the command went well");
  assert.equal(hookRuns(loser).length, 1, "a restart does not run it again");
}

/** One sample of the agent's metrics, read from its control socket. */
async function metricOf(host: Host, name: string, labels: string): Promise<number | undefined> {
  using connection = await Deno.connect({
    transport: "unix",
    path: `${host.runDir}/gossamer.sock`,
  });
  await connection.write(new TextEncoder().encode("GET /metrics HTTP/1.0\r\nHost: h\r\n\r\n"));
  const answer = await new Response(connection.readable).text();
  const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
  return parseMetrics(body).get(name)?.samples.get(labels);
}
