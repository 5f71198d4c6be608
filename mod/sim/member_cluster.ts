/** Hosts that run membership alone, without claims: for experiments with the protocol itself. */
import { assert } from "../base/assert.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { Lifeguard } from "../swim/lifeguard.ts";
import type { MemberId } from "../swim/member.ts";
import type { SwimCommand, SwimSnapshot } from "../swim/options.ts";
import type { Rider } from "../swim/rider.ts";
import { Swim } from "../swim/swim.ts";
import { LAN_TIMINGS, type SwimTimings } from "../swim/timings.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import type { Boot, SimHost } from "./sim_host.ts";

export type MemberHost = SimHost<SwimCommand, SwimEvent, SwimSnapshot>;

export interface MemberClusterOptions
  extends Omit<ClusterOptions<SwimCommand, SwimEvent, SwimSnapshot>, "start"> {
  readonly timings?: SwimTimings;
  readonly lifeguard?: Lifeguard;
}

/** Rides along without a word. */
const SILENT_RIDER: Rider = {
  fullState: () => new Uint8Array(),
  mergeFullState: () => {},
  receive: () => {},
  memberChanged: () => {},
  synced: () => {},
};

/** Time in which the hosts of a new cluster meet: syncs with the first one, then its news. */
const FORMING_MS = 10_000;

/** The id of a host of such a cluster. */
export function memberId(host: MemberHost): MemberId {
  return host.index.toString(16).padStart(32, "0");
}

/** A cluster of that many hosts who all know each other, settled. */
export function formedCluster(
  count: number,
  options: MemberClusterOptions,
): Cluster<SwimCommand, SwimEvent, SwimSnapshot> {
  const { timings = LAN_TIMINGS, lifeguard } = options;
  const cluster: Cluster<SwimCommand, SwimEvent, SwimSnapshot> = new Cluster({
    ...options,
    start: (boot) => {
      const [first] = cluster.hosts;
      const host = cluster.hosts.find(({ name }) => name === boot.name);
      assert(first !== undefined && host !== undefined, "only an added host starts");
      const seeds = host === first ? [] : [first.endpoint];
      const self = { id: memberId(host), ...selfOf(boot) };
      return new Swim({
        label: "simulated",
        self,
        incarnation: 0,
        timings,
        ...(lifeguard === undefined ? {} : { lifeguard }),
        seeds,
        remembered: [],
      }, boot.random, SILENT_RIDER);
    },
  });
  for (let number = 0; number < count; number++) cluster.boot(cluster.add());
  cluster.runFor(FORMING_MS);
  for (const host of cluster.hosts) {
    const { members, self } = host.snapshot();
    const isFormed = members.length === count && members.every(({ status }) => status === "alive");
    assert(isFormed, `${self.name} met everybody within ${FORMING_MS} ms`);
  }
  return cluster;
}

function selfOf(boot: Boot) {
  const instance = boot.random.uint32().toString(16).padStart(16, "0");
  return { name: boot.name, endpoint: boot.endpoint, instance, version: "0.0.0" };
}
