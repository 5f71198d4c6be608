/**
 * Fuzzing beyond what every test run does:
 *
 *   deno task fuzz                       a million inputs in all
 *   deno task fuzz --inputs 50000 --seed 7 --only wire
 *   deno task fuzz --grow                keeps inputs that ended in a new way in tests/fuzz/corpus
 *
 * Without --seed, the seed is of today, so that each day tries other inputs and any run can be repeated.
 */
import { parseArgs } from "node:util";
import { campaign } from "./campaign.ts";
import { readCorpus, shortened, writeCorpus } from "./corpus.ts";
import { DECODERS } from "./decoders.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
    grow: { type: "boolean", default: false },
  },
});

const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000));
const decoders = DECODERS.filter(({ name }) => name.includes(values.only));
const each = Math.ceil(Number(values.inputs) / Math.max(1, decoders.length));
if (!Number.isFinite(seed) || !Number.isFinite(each) || decoders.length === 0) {
  console.error("usage: deno task fuzz [--inputs N] [--seed N] [--only PART-OF-A-NAME] [--grow]");
  Deno.exit(2);
}

let inputs = 0;
let findings = 0;
for (const decoder of decoders) {
  const report = await campaign(decoder, seed, each);
  inputs += report.inputs;
  findings += report.findings.length;
  console.log(
    `${decoder.name}: ${report.inputs} inputs, ${report.accepted} taken, ${report.kinds} ways to end, ` +
      `${report.discoveries.length} new; at most ${report.slowestMs.toFixed(1)} ms and ` +
      `${Math.round(report.mostBytes / 1024)} KiB`,
  );
  for (const { input, fault } of report.findings) console.log(`  ${fault}\n  input ${input}`);
  if (values.grow && report.discoveries.length > 0) {
    const short = await Promise.all(report.discoveries.map((input) => shortened(decoder, input)));
    writeCorpus(decoder, [...readCorpus(decoder), ...short.filter((input) => input !== null)]);
  }
}
console.log(
  `seed ${seed}: ${inputs} inputs into ${decoders.length} decoders, ${findings} findings`,
);
Deno.exit(findings === 0 ? 0 : 1);
