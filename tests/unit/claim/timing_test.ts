/** The waits that depend on the size of the cluster, and the sanity rule. */
import { equal } from "node:assert/strict";
import { disseminationMs, objectionWaitMs } from "../../../mod/claim/dissemination_time.ts";
import { guardiansOf, rendezvousOrder } from "../../../mod/claim/rendezvous.ts";
import { isSane, LEAP_MAX } from "../../../mod/claim/sanity.ts";
import { member } from "./samples.ts";

Deno.test("the wait grows with the logarithm of the cluster, never below three seconds", () => {
  const waits = [1, 2, 10, 100, 1_000, 5_000].map((members) => objectionWaitMs(members, 200, 0));
  equal(waits.join(" "), "3000 3000 3200 4400 4800 6000");
  equal(disseminationMs(10, 200), 1_600);
});

Deno.test("an unhealthy host and slower gossip wait longer", () => {
  equal(objectionWaitMs(10, 200, 3), 4 * 3_200);
  equal(objectionWaitMs(10, 500, 0), 8_000);
});

Deno.test("a leap of 2^20 is believed, one more is not", () => {
  equal(isSane(LEAP_MAX + 5, 5), true);
  equal(isSane(LEAP_MAX + 6, 5), false);
});

Deno.test("everybody finds the same guardians, and few change when a member goes", () => {
  const members = Array.from({ length: 100 }, (_, index) => member(index + 1));
  const subnet = "10.244.7.0/24";
  const guardians = guardiansOf(subnet, members).map(({ id }) => id);
  equal(guardians.length, 5);
  equal(guardiansOf(subnet, members.toReversed()).map(({ id }) => id).join(), guardians.join());
  const fewer = members.filter(({ id }) => id !== guardians[0]);
  const after = guardiansOf(subnet, fewer).map(({ id }) => id);
  equal(after.slice(0, 4).join(), guardians.slice(1).join());
});

Deno.test("hosts and clusters have orders of their own", () => {
  const subnets = Array.from({ length: 50 }, (_, index) => `10.244.${index + 1}.0/24`);
  const order = rendezvousOrder("a", member(1).id, subnets);
  equal(order.toSorted().join(), subnets.toSorted().join());
  const others = [
    rendezvousOrder("b", member(1).id, subnets),
    rendezvousOrder("a", member(2).id, subnets),
  ];
  for (const other of others) equal(other.join() === order.join(), false);
  // Free subnets keep their order when others are taken.
  const free = subnets.filter((subnet) => subnet !== order[0]);
  equal(rendezvousOrder("a", member(1).id, free).join(), order.slice(1).join());
});
