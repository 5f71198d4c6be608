/** This host as a member: as it begins, and how long its own news may become. */
import { Feature, withFeature } from "../wire/features.ts";
import { INCARNATION_MAX } from "../wire/member_record.ts";
import { PROTOCOL_RANGE } from "../wire/protocol_range.ts";
import type { Member } from "./member.ts";
import { encodeNews } from "./news.ts";
import type { SwimOptions } from "./options.ts";

/** What this host's own news may grow by: a larger incarnation, a longer address, more features. */
const NEWS_GROWTH_BYTES = 8 + 12 + 4;

/** This host as it begins. */
export function ownMember(options: SwimOptions): Member {
  const { self, incarnation, keys } = options;
  const features = withFeature(self.features ?? 0, Feature.opensSealed, keys !== undefined);
  return {
    ...PROTOCOL_RANGE,
    ...self,
    features,
    incarnation: Math.min(INCARNATION_MAX, incarnation),
    status: "alive",
    statusSinceMs: 0,
  };
}

/** Bytes that are kept free for this host's own news in every packet. */
export function ownBytesMax(member: Member): number {
  return encodeNews(member, member.id).length + NEWS_GROWTH_BYTES;
}
