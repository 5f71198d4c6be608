/**
 * Assertions for invariants of our own code; they stay on in production.
 *
 * An assertion that fails is a bug in gossamer, never bad input: packets, files, flags and kernel
 * replies are checked where they enter and get an error of their own.
 */

/** A broken invariant: the process must not go on as if nothing had happened. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws {@link AssertionError} unless `condition` holds; narrows the type of what it tested. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks code that the types say cannot run; `value` is what reached it nevertheless. */
export function unreachable(value: never): never {
  throw new AssertionError(`Unreachable code reached with ${JSON.stringify(value)}`);
}
