/** Each way in which the ground below the overlay can differ, and what follows from it. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Underlay } from "../../../mod/base/kernel_objects.ts";
import { decideUnderlay } from "../../../mod/agent/underlay_plan.ts";
import { underlayProblem } from "../../../mod/host/underlay.ts";

const PRESENT: Underlay = { device: "eth0", index: 2, address: "192.168.100.1", mtu: 1500 };
const LOST = underlayProblem(PRESENT, null);

function decide(changes: Partial<Underlay> | null, problem = LOST) {
  return decideUnderlay(PRESENT, problem, changes === null ? null : { ...PRESENT, ...changes });
}

Deno.test("nothing changed, nothing to do", () => {
  deepStrictEqual(decide({}, null), { kind: "stay" });
});

Deno.test("nothing fits the rules any more: what still carries packets is kept, what does not is waited for", () => {
  deepStrictEqual(decide(null, null), { kind: "keep" });
  deepStrictEqual(decide(null), { kind: "wait" });
});

Deno.test("what carries nothing is no place to stay at, whatever the rules say of it", () => {
  deepStrictEqual(decide({}), { kind: "wait" });
});

Deno.test("another place is moved to at once when the present one is lost, and else only when it lasts", () => {
  const elsewhere: Partial<Underlay>[] = [
    { address: "192.168.100.7" },
    { index: 9 },
    { device: "eth1", index: 3, address: "172.16.5.1", mtu: 9000 },
  ];
  for (const changes of elsewhere) {
    const lost = decide(changes);
    const preferred = decide(changes, null);
    deepStrictEqual([lost.kind, preferred.kind], ["move", "move"]);
    strictEqual(lost.kind === "move" && lost.isUrgent, true);
    strictEqual(preferred.kind === "move" && preferred.isUrgent, false);
  }
});

Deno.test("another MTU or name at the same place disturbs nobody, so it is followed at once", () => {
  for (const changes of [{ mtu: 1400 }, { device: "lan0" }]) {
    const decision = decide(changes, null);
    strictEqual(decision.kind === "move" && decision.isUrgent, true);
  }
});

Deno.test("what changed is told in words, each change once", () => {
  const words = (changes: Partial<Underlay>) => {
    const decision = decide(changes);
    return decision.kind === "move" ? decision.words : decision.kind;
  };
  strictEqual(words({ index: 9 }), "device eth0 made anew");
  strictEqual(
    words({ device: "eth1", index: 3, address: "172.16.5.1", mtu: 1400 }),
    "device eth1 instead of eth0, address 172.16.5.1 instead of 192.168.100.1, " +
      "MTU 1400 instead of 1500",
  );
  strictEqual(words({ device: "lan0" }), "device lan0 instead of eth0");
});
