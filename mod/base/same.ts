/** Whether two plain values say the same: numbers, strings, booleans, null, and arrays and objects of them. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return false;
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    return Array.isArray(one) && Array.isArray(other) && one.length === other.length &&
      one.every((value, index) => isSame(value, other[index]));
  }
  const ours = Object.entries(one);
  const theirs = new Map<string, unknown>(Object.entries(other));
  return ours.length === theirs.size &&
    ours.every(([key, value]) => theirs.has(key) && isSame(value, theirs.get(key)));
}
