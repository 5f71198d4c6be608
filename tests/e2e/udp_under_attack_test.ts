/** The UDP backend when it is hard: hostile datagrams, lost packets, more traffic than the machine has time for. */
import assert from "node:assert/strict";
import type { Container } from "../../mod/lab/container.ts";
import type { Host } from "../../mod/lab/host.ts";
import { ContinuousPing, pingUntilAnswered, sleep } from "../../mod/lab/ping.ts";
import { assertAllCarry } from "./carrier.ts";
import { startOne, statusOf, untilStatus } from "./cluster.ts";
import { canLosePackets, losePackets } from "./packet_loss.ts";
import { scenario } from "./scenario.ts";

const UDP = "--backend=udp";
const HOSTILE = 20_000;
const LOSS_PERCENT = 5;
/** With `GOSSAMER_SATURATION_S=60` for as long as the project promises. */
const SATURATION_S = Number(Deno.env.get("GOSSAMER_SATURATION_S") ?? 3);

scenario(import.meta, "udp under attack, loss and load", { hosts: 3 }, async (
  { lab, step, note },
) => {
  const { hosts } = lab;
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  await step("three hosts", async () => {
    for (const host of hosts) {
      startOne(host, hosts, UDP, "--log-level=debug"); // which tells of suspicions
      await host.waitForSubnet();
      await host.addContainer();
    }
    for (const host of hosts) await untilStatus(host, "all peers", meshed);
  });
  await step("hostile datagrams are dropped and counted; nobody else notices", async () => {
    await talk(container(h1), container(h2));
    const pings = new ContinuousPing(container(h2).namespace, container(h1).address, 20);
    const before = await received(h1, h3);
    const program = new URL("./udp_attacker.ts", import.meta.url).pathname;
    const args = [h1.address, h2.address, String(HOSTILE)];
    const { code, stderr } = await h3.namespace.output(
      [Deno.execPath(), "run", "-A", "--unstable-net", "--no-check", program, ...args],
    );
    assert.equal(code, 0, stderr);
    const { sent, refusals } = await pings.stop();
    assert.ok(sent > 0 && refusals.length === 0);
    const { overlay, problems } = await statusOf(h1);
    const drops = overlay.udp?.drops ?? {};
    note(`of ${HOSTILE}: ${JSON.stringify(drops)}`);
    for (const reason of ["unknown-sender", "foreign-source", "truncated", "malformed"]) {
      assert.ok((drops[reason] ?? 0) > 100, `${reason}: ${drops[reason]}`);
    }
    // The agents ask each other through the overlay now and then.
    const taken = await received(h1, h3) - before;
    assert.ok(taken < 100, `${taken} packets of the attacker were taken`);
    assert.deepEqual([overlay.udp?.running, overlay.udp?.restarts, problems], [true, 0, []]);
    await talk(container(h1), container(h2));
  });
  await step(`TCP goes on while ${LOSS_PERCENT} % of all packets are lost`, async () => {
    if (!canLosePackets()) return note("left out: needs the program nft (Debian: nftables)");
    await losePackets(hosts, LOSS_PERCENT);
    await assertAllCarry([container(h1), container(h2)], { tcpBytes: 1_000_000, udpBytes: 1_000 });
    await losePackets(hosts, 0);
  });
  await step(
    `${SATURATION_S} s of all the traffic there is room for, and nobody is suspected`,
    async () => {
      const [from, to] = [container(h1), container(h2)];
      if (!hasIperf()) return note("left out: needs the program iperf3 (Debian: iperf3)");
      const told = [h1, h2, h3].map(suspicions);
      const server = to.namespace.spawn(["iperf3", "-s"], {
        stdin: "null",
        stdout: "null",
        stderr: "null",
      });
      try {
        const load = ["iperf3", "-c", to.address, "-t", String(SATURATION_S), "-P", "4", "--bidir"];
        for (let attempt = 1;; attempt++) {
          const { code, stdout } = await from.namespace.output([...load, "-f", "g"]);
          const sums = stdout.split("\n").filter((line) => /SUM.*receiver/.test(line));
          if (code === 0) {
            note(sums.map((line) => line.replace(/.*Bytes/, "").trim()).join("; "));
            break;
          }
          assert.ok(attempt < 50, stdout);
          await sleep(20);
        }
      } finally {
        server.kill("SIGKILL");
        await server.status;
      }
      assert.deepEqual([h1, h2, h3].map(suspicions), told, "gossip was on time");
      for (const host of hosts) assert.equal((await statusOf(host)).cluster.alive, 3);
    },
  );
});

function meshed({ overlay }: { overlay: { peersProgrammed: number } }): boolean {
  return overlay.peersProgrammed === 2;
}

function container(host: Host): Container {
  const [first] = host.containers;
  assert(first !== undefined, `${host.name} has a container`);
  return first;
}

async function talk(from: Container, to: Container): Promise<void> {
  const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 10_000 });
  assert.equal(outcome.kind, "answered");
}

async function received(host: Host, from: Host): Promise<number> {
  const { members } = await statusOf(host);
  return members.find(({ name }) => name === from.name)?.traffic?.receivedPackets ?? 0;
}

/** How often the agent's log speaks of a suspicion or a death. */
function suspicions(host: Host): number {
  return host.log().split("\n").filter((line) => /member suspected|member failed/.test(line))
    .length;
}

function hasIperf(): boolean {
  try {
    new Deno.Command("iperf3", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
