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
