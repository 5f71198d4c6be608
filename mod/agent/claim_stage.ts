/** At which point of its life a host is, in a word and a sentence, for people who wait for its subnet. */
import { cidrsOverlap } from "../address/network.ts";
import { isInPool, type Pool } from "../address/pool.ts";
import { isForHost } from "../address/pool_record.ts";
import type { ClaimSnapshot } from "../claim/snapshot.ts";
import { stands } from "../claim/standing.ts";
import type { ClaimStageName } from "./api.ts";

/** The problem that a host shows while it waits to hear anybody. */
const LONELY = "nobody-heard";

export interface StageView {
  readonly stage: ClaimStageName;
  /** Why there is no subnet and what to do, or what is being done; null when there is one and all is well with it. */
  readonly reason: string | null;
}

/** `nameOf` says a host as people know it. */
export function claimStage(claim: ClaimSnapshot, nameOf: (hostId: string) => string): StageView {
  const { state, subnet, reason } = claim;
  switch (state) {
    case "none":
      return { stage: "starting", reason: "It starts" };
    case "listening":
      return subnet === null
        ? { stage: "listening", reason: "It hears what others claim before it chooses a subnet" }
        : {
          stage: "returning",
          reason: `It held ${subnet} before and asks others whether that is still its own`,
        };
    case "tentative":
      return { stage: "tentative", reason: reason ?? `It asks the other hosts for ${subnet}` };
    case "yielding":
      return {
        stage: "yielding",
        reason: `It gives up ${subnet}${winnerText(claim, nameOf)} and takes another subnet`,
      };
    case "waiting": {
      const isLonely = claim.problems.some(({ code }) => code === LONELY);
      return { stage: isLonely ? "lonely" : "waiting", reason };
    }
    case "held":
      return { stage: "held", reason: heldRemark(claim, nameOf) };
    case "released":
      return {
        stage: "released",
        reason: "It left the cluster and claims nothing: gossamer join or a restart brings it back",
      };
  }
}

/** What is remarkable about a subnet that is held. */
function heldRemark(
  { record, records, fenceOf, pool, poolRecord }: ClaimSnapshot,
  nameOf: (hostId: string) => string,
): string | null {
  if (record === null) return null;
  const rival = records.find((other) =>
    other.hostId !== record.hostId && other.state === "held" && other.subnet === record.subnet &&
    stands(other, fenceOf(other.subnet))
  );
  if (rival !== undefined) {
    return `${nameOf(rival.hostId)} claims it as well: gossamer subnets --why ${record.subnet}`;
  }
  if (!stands(record, fenceOf(record.subnet))) {
    return "Others were told to forget this claim: it is being made again";
  }
  if (isForHost(pool, poolRecord, record.subnet, record.hostId)) return null;
  return `${whyNot(pool, record.subnet)}: this host keeps it until it gives it back`;
}

/** Why no other host may choose the subnet. */
function whyNot(pool: Pool, subnet: string): string {
  if (!isInPool(pool, subnet)) return `${subnet} is in none of the pool's networks any more`;
  const isReserved = pool.reserved.some((network) => cidrsOverlap(network, subnet));
  return isReserved
    ? `${subnet} was reserved by an operator`
    : `${subnet} was pinned to another host by an operator`;
}

function winnerText(
  { record, owners }: ClaimSnapshot,
  nameOf: (hostId: string) => string,
): string {
  if (record === null) return "";
  const owner = owners.find(({ hostId, subnet }) =>
    hostId !== record.hostId && subnet === record.subnet
  );
  return owner === undefined ? "" : ` to ${nameOf(owner.hostId)}`;
}
