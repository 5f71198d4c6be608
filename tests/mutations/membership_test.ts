/**
 * Breaks each rule of membership on purpose, one at a time, and lets the simulator find it: rules that are checked
 * nowhere would let the protocol rot unseen.
 */
import assert from "node:assert/strict";
import { MEMBERSHIP_MUTANTS } from "./membership_mutants.ts";
import { type Mutant, mutatedCopy, testsFail } from "./mutant.ts";

/** Seeds that the healthy protocol passes and in which each mutant is found; most are within three, some rare ones at 180. */
const SEEDS = 240;
/** As many hunters at once as there are cores in CI. */
const HUNTERS = 2;
/** A mutant may also spin for ever: that is noticed as well. A hunt takes 12 s on two idle cores, and has the rest of busy ones. */
const HUNT_MS_MAX = 300_000;

interface Found {
  readonly seed: number;
  readonly rule: string;
  readonly message: string;
}

Deno.test("the healthy protocol passes all seeds of the hunt", async () => {
  assert.equal(await hunt(null), null);
});

for (const mutant of MEMBERSHIP_MUTANTS) {
  Deno.test(`noticed when broken: ${mutant.rule}`, async () => {
    const isNoticed = mutant.noticedBy === undefined
      ? await hunt(mutant) !== null
      : await testsFail(mutant, mutant.noticedBy);
    assert.ok(isNoticed, `${mutant.file} can be changed and nobody notices`);
  });
}

/** What the first hunter found; null when all seeds passed. */
async function hunt(mutant: Mutant | null): Promise<Found | null> {
  const folder = await mutatedCopy(mutant);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), HUNT_MS_MAX);
  try {
    if (mutant?.likelySeed !== undefined) {
      const found = await hunter(folder, { first: mutant.likelySeed, count: 1 }, over.signal);
      if (found !== null) return found;
    }
    const hunters = Array.from({ length: HUNTERS }, async (_, number) => {
      const share = { first: 1 + number, count: Math.ceil(SEEDS / HUNTERS) };
      const found = await hunter(folder, share, over.signal);
      if (found !== null) over.abort(); // one is enough
      return found;
    });
    const results = await Promise.all(hunters);
    return results.find((found) => found !== null) ?? null;
  } finally {
    clearTimeout(timer);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Plays every second seed. */
async function hunter(
  folder: string,
  { first, count }: { readonly first: number; readonly count: number },
  signal: AbortSignal,
): Promise<Found | null> {
  const seeds = [first, HUNTERS, count].map(String);
  const started = performance.now();
  const { stdout, stderr, code, signal: killedBy } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--quiet", "tests/mutations/hunt.ts", ...seeds],
    cwd: folder,
    stdin: "null",
    signal,
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (text !== "") return JSON.parse(text);
  if (killedBy !== null) {
    const isSpinning = performance.now() - started > HUNT_MS_MAX / 2;
    return isSpinning ? { seed: 0, rule: "spins", message: "did not end" } : null;
  }
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return null;
}
