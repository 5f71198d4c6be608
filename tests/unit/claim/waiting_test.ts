/** Waiting: what a host gives back when there is nothing for it. */
import { deepEqual, equal } from "node:assert/strict";
import { makePool, poolDigest } from "../../../mod/address/pool.ts";
import { hostId, record, Staged } from "./samples.ts";

Deno.test("who lost its subnet and finds no other gives it back, so that two losers do not wait for each other", () => {
  const subnet = "10.244.7.0/24";
  const only = { subnetMin: "10.244.7.0", subnetMax: "10.244.7.0" };
  const pool = makePool({ network: "10.244.0.0/16", ...only });
  const digest = poolDigest(pool);
  const restored = {
    hostId: hostId(1),
    generation: 3,
    lamport: 5,
    fence: [{ subnet, epoch: 1 }],
    record: record({ generation: 3, poolDigest: digest }),
    previous: null,
  };
  const host = new Staged({ pool, restored, seedsGiven: false });
  host.at(0);
  equal(host.snapshot.state, "held");
  host.hear(record({ hostId: hostId(2), epoch: 2, poolDigest: digest }));
  host.at(5_000);
  equal(host.snapshot.state, "waiting");
  const { state, strength, subnet: given } = host.snapshot.record ?? record();
  deepEqual([state, strength, given], ["released", 1, subnet]);
});

const HELD_BEFORE = {
  hostId: hostId(1),
  generation: 3,
  lamport: 5,
  fence: [{ subnet: "10.244.7.0/24", epoch: 2 }],
  record: record({ generation: 3, epoch: 2 }),
  previous: null,
};

Deno.test("who was started with a --subnet that another host has gives its former one back, or two that swap would wait for each other", () => {
  const pin = "10.244.9.0/24";
  const host = new Staged({ restored: HELD_BEFORE, pin, seedsGiven: true });
  host.at(0);
  host.meet([2]);
  host.hear(record({ hostId: hostId(2), subnet: pin }));
  host.takeLetters();
  host.sync(2);
  equal(host.snapshot.state, "waiting");
  const { state, subnet, epoch } = host.snapshot.record ?? record();
  deepEqual([state, subnet, epoch], ["released", "10.244.7.0/24", 3]);
  deepEqual(host.takeAddressees("push"), [2]);
  // Once: news are no occasion to write again.
  const before = host.snapshot.counters.writes;
  host.hear(record({ hostId: hostId(8), subnet: "10.244.8.0/24" }));
  equal(host.snapshot.counters.writes, before);
  // The other one has moved meanwhile.
  host.hear(record({ hostId: hostId(2), sequence: 1, subnet: "10.244.10.0/24" }));
  equal(host.snapshot.state, "tentative");
  equal(host.snapshot.record?.subnet, pin);
});

Deno.test("a former subnet that another host holds by now is given back below that host's claim", () => {
  const pin = "10.244.9.0/24";
  const host = new Staged({ restored: HELD_BEFORE, pin, seedsGiven: true });
  host.at(0);
  host.meet([2, 3]);
  host.hear(record({ hostId: hostId(2), subnet: pin }), record({ hostId: hostId(3), epoch: 2 }));
  host.sync(2);
  host.sync(3);
  equal(host.snapshot.state, "waiting");
  deepEqual([host.snapshot.record?.state, host.snapshot.record?.epoch], ["released", 2]);
});

Deno.test("who was started with another pool than everybody keeps its former subnet, but draws no packets", () => {
  const pool = makePool({ network: "10.200.0.0/16" });
  const host = new Staged({ pool, restored: HELD_BEFORE, seedsGiven: true });
  host.at(0);
  host.meet([2]);
  host.hear(record({ hostId: hostId(2), subnet: "10.244.9.0/24" }));
  host.sync(2);
  equal(host.snapshot.state, "waiting");
  equal(host.snapshot.problems[0]?.code, "pool-mismatch");
  deepEqual([host.snapshot.record?.state, host.snapshot.record?.epoch], ["yielding", 2]);
  // Others and this host know the same, so that their syncs come to an end.
  equal(host.snapshot.records.some((one) => one.hostId === hostId(1)), true);
  deepEqual(host.snapshot.owners.map((owner) => owner.hostId), [hostId(2)]);
});

Deno.test("with the right pool again it asks for its former subnet, and its containers stay", () => {
  const mistaken = { ...HELD_BEFORE, previous: "10.244.7.0/24" };
  const last = record({ generation: 3, epoch: 2, state: "yielding" });
  const host = new Staged({ restored: { ...mistaken, record: last }, seedsGiven: true });
  host.at(0);
  host.meet([2]);
  host.sync(2);
  equal(host.snapshot.state, "tentative");
  host.answer(2);
  deepEqual([host.snapshot.state, host.snapshot.subnet], ["held", "10.244.7.0/24"]);
  deepEqual(host.eventsOf("renumbered"), []);
});
