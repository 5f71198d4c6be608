/** The comparison with serf: what is read from the logs, and when an aim counts as met. */
import assert from "node:assert/strict";
import { gossamer, serf } from "../../../scripts/bench/serf/contestant.ts";
import { deathFigures, lossFigures } from "../../../scripts/bench/serf/table.ts";
import type { Cost, Death } from "../../../scripts/bench/serf/measure.ts";

const PLACE = { name: "h2", address: "192.168.100.2", folder: "/tmp/h2" };

Deno.test("both programs' logs say who is alive and who failed, and nothing else", () => {
  const own = gossamer("dist/gossamer", "default");
  const line = (message: string) =>
    JSON.stringify({ time: "2026-01-01T00:00:00.000Z", level: "info", message, name: "h3" });
  assert.deepEqual(own.read(line("member joined")), { kind: "alive", name: "h3" });
  assert.deepEqual(own.read(line("member is back")), { kind: "alive", name: "h3" });
  assert.deepEqual(own.read(line("member failed; its subnet stays its own")), {
    kind: "failed",
    name: "h3",
  });
  assert.equal(own.read(line("member left")), null);
  assert.equal(own.read("warning: something else"), null);
  const rival = serf();
  const said = (text: string) => rival.read(`2026/01/01 00:00:00 [INFO] serf: ${text}`);
  assert.deepEqual(said("EventMemberJoin: h3 192.168.100.3"), { kind: "alive", name: "h3" });
  assert.deepEqual(said("EventMemberFailed: h3 192.168.100.3"), { kind: "failed", name: "h3" });
  assert.equal(said("EventMemberLeave: h3 192.168.100.3"), null);
});

Deno.test("gossamer's own events are worded as the comparison expects", () => {
  const text = Deno.readTextFileSync(new URL("../../../mod/agent/event_log.ts", import.meta.url));
  for (const message of ["member joined", "member is back", "member failed; its subnet stays"]) {
    assert.equal(text.includes(`"${message}`), true, message);
  }
});

Deno.test("contestants on one host have ports and overlays of their own", () => {
  const all = [gossamer("g", "default"), gossamer("g", "tight"), serf()];
  assert.equal(new Set(all.map(({ port }) => port)).size, all.length);
  const [own = [], tight = []] = all.map((contestant) =>
    contestant.command(PLACE, "192.168.100.1")
  );
  const valueOf = (command: readonly string[], flag: string) =>
    command.find((text) => text.startsWith(`--${flag}=`));
  for (const flag of ["vni", "vxlan-port", "network", "gossip-port"]) {
    assert.notEqual(valueOf(own, flag), valueOf(tight, flag), flag);
  }
});

function deaths(allMs: readonly number[]): Death[] {
  return allMs.map((ms) => ({ firstMs: ms, medianMs: ms, allMs: ms }));
}

Deno.test("a median within the range of serf's runs is a tie, one beyond it is missed", () => {
  const aim = (own: readonly number[], rival: readonly number[]) =>
    deathFigures("x", { gossamer: deaths(own), serf: deaths(rival) }).at(-1)?.aim;
  assert.equal(aim([7000, 7100, 9000], [7200, 8000, 8100]), "<= serf: met");
  assert.equal(aim([8050, 8050, 8050], [7200, 8000, 8100]), "<= serf: tie");
  assert.equal(aim([8200, 8200, 8200], [7200, 8000, 8100]), "<= serf: MISSED");
  assert.equal(aim([Infinity], [7200]), "<= serf: MISSED", "a death that not all have noticed");
});

Deno.test("at 30 % loss a fifth of serf's false reports is allowed", () => {
  const cost = (falseFailures: number): Cost => ({
    cpuSecondsPerMinute: [1],
    bytesPerSecond: [1],
    packetsPerSecond: [1],
    memory: [],
    falseFailures,
    victims: Math.min(falseFailures, 1),
  });
  const aim = (percent: number, own: number, rival: number) =>
    lossFigures(percent, 5, { gossamer: cost(own), serf: cost(rival) })[0]?.aim;
  assert.equal(aim(30, 4, 20), "<= 1/5 of serf: met");
  assert.equal(aim(30, 5, 20), "<= 1/5 of serf: MISSED");
  assert.equal(aim(10, 1, 1), "<= serf: met");
  assert.equal(aim(10, 1, 0), "<= serf: MISSED");
});
