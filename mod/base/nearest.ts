/** "Did you mean": the known word that a mistyped one is closest to. */

/** Edits (insert, delete, replace, swap of neighbours) that make `to` of `from`: the optimal string alignment distance. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/**
 * The candidate that was probably meant, or undefined when none is close: at most a third of the word may differ, or
 * the word is the beginning (three letters or more) of exactly one candidate. `_` and case do not count as differences.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = word.toLowerCase().replaceAll("_", "-");
  let best: string | undefined;
  let bestDistance = Math.floor(Math.max(plain.length, 3) / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain, candidate.toLowerCase().replaceAll("_", "-"));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined || plain.length < 3) return best;
  const longer = candidates.filter((candidate) => candidate.toLowerCase().startsWith(plain));
  return longer.length === 1 ? longer[0] : undefined;
}
