/** Feeds one decoder many inputs and reports what must not be: wrong errors, lost values, time, memory. */
import { Random } from "../../mod/base/random.ts";
import { ENTRIES_MAX, readCorpus } from "./corpus.ts";
import { type Decoder, outcomeOf } from "./decoder.ts";
import { hostileInput } from "./mutation.ts";

/** One input that did harm; `input` in hexadecimal digits. */
export interface Finding {
  readonly decoder: string;
  readonly input: string;
  readonly fault: string;
}

export interface Report {
  readonly inputs: number;
  readonly accepted: number;
  readonly findings: readonly Finding[];
  /** Inputs that ended in a way that no sample and no entry of the corpus did. */
  readonly discoveries: readonly Uint8Array[];
  /** Ways to end that were seen. */
  readonly kinds: number;
  /** Of any input. */
  readonly slowestMs: number;
  /** Allocated for any input, as far as could be measured. */
  readonly mostBytes: number;
}

/**
 * Allocation that an input may cause: what the runtime takes for itself (compiled code, a grown table), and a factor for
 * values that are larger than their bytes: a list of a million one-byte numbers takes eight million.
 */
const FIXED_BYTES_MAX = 512 * 1024;
const BYTES_PER_BYTE_MAX = 512;
/** A thousand times what the slowest decoder needs for a packet; a garbage collection fits in. */
const INPUT_MS_MAX = 250;
/** An input above a limit is tried again: only one that is above it each time is a finding. */
const TRIES = 4;
/** Findings of one decoder that are worth reading. */
const FINDINGS_MAX = 5;

interface Cost {
  ms: number;
  bytes: number;
}

/** Runs `count` inputs drawn from the seed, after all samples and the whole corpus. */
export async function campaign(decoder: Decoder, seed: number, count: number): Promise<Report> {
  const random = new Random(seed);
  const good = [...decoder.samples, ...readCorpus(decoder)];
  const findings: Finding[] = [];
  const discoveries: Uint8Array[] = [];
  const kinds = new Set<string>();
  let accepted = 0;
  let slowestMs = 0;
  let mostBytes = 0;

  const feed = async (input: Uint8Array): Promise<boolean> => {
    const cost = { ms: 0, bytes: 0 };
    const outcome = await measured(cost, () => outcomeOf(decoder, input));
    if (isTooMuch(cost, input)) await remeasure(cost, decoder, input);
    slowestMs = Math.max(slowestMs, cost.ms);
    mostBytes = Math.max(mostBytes, cost.bytes);
    if (outcome.isAccepted) accepted++;
    const fault = outcome.fault ?? costFault(cost, input);
    if (fault !== null && findings.length < FINDINGS_MAX) {
      findings.push({ decoder: decoder.name, input: input.toHex(), fault });
    }
    const isNew = !kinds.has(outcome.kind);
    kinds.add(outcome.kind);
    return isNew;
  };

  for (const input of good) await feed(input);
  for (let number = 0; number < count; number++) {
    const input = hostileInput(random, good);
    if (!await feed(input)) continue;
    if (good.length - decoder.samples.length >= ENTRIES_MAX) continue;
    discoveries.push(input);
    good.push(input); // what is new leads to what is newer
  }
  return {
    inputs: count,
    accepted,
    findings,
    discoveries,
    kinds: kinds.size,
    slowestMs,
    mostBytes,
  };
}

async function measured<T>(cost: Cost, run: () => Promise<T>): Promise<T> {
  const before = Deno.memoryUsage();
  const startedMs = performance.now();
  const result = await run();
  cost.ms = performance.now() - startedMs;
  const after = Deno.memoryUsage();
  // A collection in between makes the difference too small, never too large.
  cost.bytes = after.heapUsed - before.heapUsed + after.external - before.external;
  return result;
}

/** The least of several tries: what else runs on this machine only ever adds. */
async function remeasure(cost: Cost, decoder: Decoder, input: Uint8Array): Promise<void> {
  for (let attempt = 1; attempt < TRIES; attempt++) {
    const again = { ms: 0, bytes: 0 };
    await measured(again, () => outcomeOf(decoder, input));
    cost.ms = Math.min(cost.ms, again.ms);
    cost.bytes = Math.min(cost.bytes, again.bytes);
  }
}

function isTooMuch(cost: Cost, input: Uint8Array): boolean {
  return costFault(cost, input) !== null;
}

function costFault({ ms, bytes }: Cost, { length }: Uint8Array): string | null {
  if (ms > INPUT_MS_MAX) return `${Math.round(ms)} ms for ${length} bytes`;
  const bytesMax = FIXED_BYTES_MAX + BYTES_PER_BYTE_MAX * length;
  return bytes > bytesMax ? `${bytes} bytes of memory for ${length} of input` : null;
}
