/**
 * What a host can do that not every host can: a set of bits in its member record. Unknown bits are
 * kept and passed on, so that a later version can use them across older hosts.
 */

/** 32 bits. */
export const FEATURES_MAX = 2 ** 32 - 1;

/** Names of the bits, in their order. */
export const Feature = {
  /** Opens sealed packets: it has gossip keys. */
  opensSealed: 1,
} as const;

export type FeatureBit = typeof Feature[keyof typeof Feature];

export function hasFeature(features: number, feature: FeatureBit): boolean {
  return (features & feature) !== 0;
}

/** The set with that bit put or taken away. */
export function withFeature(features: number, feature: FeatureBit, isSet: boolean): number {
  return (isSet ? features | feature : features & ~feature) >>> 0;
}
