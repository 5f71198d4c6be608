/**
 * Hostile input at every decoder: a clear refusal or a value, never another error, never much memory or time. What was found
 * once is in the corpus; the seed is fixed, so that a failure stays until it is repaired.
 */
import assert from "node:assert/strict";
import { campaign } from "./campaign.ts";
import { orphanFiles } from "./corpus.ts";
import { type Decoder, outcomeOf } from "./decoder.ts";
import { DECODERS } from "./decoders.ts";
import { exportedDecoders, NO_DECODERS } from "./exported_decoders.ts";

const SEED = 20_260_101;
/** All decoders together; `deno task fuzz` tries a million. */
const INPUTS = 50_000;

for (const decoder of DECODERS) {
  Deno.test(`${decoder.name} survives anything (seed ${SEED})`, async () => {
    const { findings } = await campaign(decoder, SEED, Math.ceil(INPUTS / DECODERS.length));
    assert.deepEqual(findings, []);
  });
}

Deno.test("every decoder takes its samples, or inputs made of them would test nothing", async () => {
  for (const decoder of DECODERS) {
    const outcomes = await Promise.all(decoder.samples.map((bytes) => outcomeOf(decoder, bytes)));
    const accepted = outcomes.filter(({ isAccepted }) => isAccepted);
    assert.ok(accepted.length > 0, `${decoder.name} takes none of ${outcomes.length} samples`);
  }
});

Deno.test("every exported decoder is in the table of tests/fuzz/decoders.ts", async () => {
  const known = new Set(DECODERS.map(({ name }) => name.replace(/ \(.*\)$/, "")));
  const exported = await exportedDecoders();
  const missing = exported.filter((name) => !known.has(name) && !NO_DECODERS.has(name));
  assert.deepEqual(missing, [], "add a line to one of tests/fuzz/decoders/*.ts");
  const gone = [...NO_DECODERS.keys()].filter((name) => !exported.includes(name));
  assert.deepEqual(gone, [], "NO_DECODERS names what is not there");
});

Deno.test("every file of the corpus belongs to a decoder", () => {
  assert.deepEqual(orphanFiles(DECODERS), []);
});

/** A decoder that does what none may. */
function bad(decode: Decoder["decode"], more: Partial<Decoder> = {}): Decoder {
  const samples = [new Uint8Array(8)];
  return { name: "a bad one", decode, samples, refusals: [RangeError], ...more };
}

const BAD: readonly (readonly [what: string, decoder: Decoder, fault: RegExp])[] = [
  [
    "an error of the wrong kind",
    bad(() => {
      throw new TypeError("x is not a function");
    }),
    /unexpected error/,
  ],
  [
    "an error of one word",
    bad(() => {
      throw new RangeError("invalid");
    }),
    /says nothing/,
  ],
  [
    "an error about undefined",
    bad(() => {
      throw new RangeError("unknown format undefined");
    }),
    /about nothing/,
  ],
  [
    "an error with control characters",
    bad(() => {
      throw new RangeError("bad text \u009b2J");
    }),
    /unprintable/,
  ],
  [
    "an error as long as its input",
    bad(() => {
      throw new RangeError("bad text ".repeat(100));
    }),
    /900 characters/,
  ],
  [
    "memory that its input does not explain",
    bad(() => new Uint8Array(2 ** 24).length),
    /bytes of memory/,
  ],
  [
    "a value that its own encoding does not give",
    bad((bytes) => bytes.length, { encode: () => new Uint8Array(3), hasManyForms: true }),
    /another value/,
  ],
  [
    "a value that cannot be encoded",
    bad((bytes) => bytes.length, {
      encode: () => {
        throw new Error("no");
      },
    }),
    /does not survive/,
  ],
  ["changed input", bad((bytes) => bytes.fill(7).length), /wrote into its input/],
];

for (const [what, decoder, fault] of BAD) {
  Deno.test(`the fuzzer notices ${what}`, async () => {
    const { findings } = await campaign(decoder, 1, 1);
    assert.match(findings[0]?.fault ?? "nothing", fault);
  });
}
