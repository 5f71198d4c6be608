/** How the figures of several runs are summed up. */

/**
 * The smallest value that at least that share of the values does not exceed (nearest rank): always
 * one that was measured, for few values the largest. NaN without values.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? NaN;
}
