/**
 * A second model of the order of claims, in Spin and independent of mod/claim and of the search over it, so that one
 * mistake does not hide in both: see claims.pml. It holds in every configuration, and each rule that is taken away
 * gives a counter-example, or holding would mean nothing.
 */
import assert from "node:assert/strict";
import { checkModel, inPairs, whyNoSpin } from "./model_checker.ts";

const skipReason = whyNoSpin();
if (skipReason !== undefined) console.log(`the Spin model is not checked: ${skipReason}`);

interface Configuration {
  readonly what: string;
  readonly switches: readonly string[];
  /** No chain of steps goes in a circle: asked too where that is affordable. */
  readonly ends?: boolean;
}

const CONFIGURATIONS: readonly Configuration[] = [
  {
    what: "2 hosts, 2 subnets, two claims on what another holds",
    switches: ["TAKEOVERS=2"],
    ends: true,
  },
  {
    what: "2 hosts, 2 subnets, a release whose tombstone is dropped, and a claim on the holder",
    switches: ["RELEASES=1", "COLLECTS=1", "TAKEOVERS=1"],
    ends: true,
  },
  {
    what: "2 hosts, 2 subnets, a live host forgotten, and a claim on it",
    switches: ["FORGETS=1", "TAKEOVERS=1"],
  },
  {
    what: "2 hosts, 2 subnets, a loser back from an old disk, and a claim on the holder",
    switches: ["ROLLBACKS=1", "TAKEOVERS=1"],
  },
  {
    what: "2 hosts, one subnet inside the other, a loser back from an old disk, and a claim",
    switches: ["NESTED", "ROLLBACKS=1", "TAKEOVERS=1"],
  },
  { what: "3 hosts, 1 subnet, all of them new", switches: ["HOSTS=3", "SUBNETS=1", "CLAIMS=3"] },
  {
    what: "3 hosts, 1 subnet, a loser back from an old disk",
    switches: ["HOSTS=3", "SUBNETS=1", "CLAIMS=2", "ROLLBACKS=1"],
    ends: true,
  },
  {
    what: "3 hosts, 1 subnet, a release whose tombstone two of them may drop",
    switches: ["HOSTS=3", "SUBNETS=1", "CLAIMS=2", "RELEASES=1", "COLLECTS=2"],
  },
  {
    what: "3 hosts, 1 subnet, a live host forgotten",
    switches: ["HOSTS=3", "SUBNETS=1", "CLAIMS=2", "FORGETS=1"],
  },
];

interface Broken {
  readonly what: string;
  readonly switches: readonly string[];
  /** What the story has to end with. */
  readonly ending: RegExp;
}

const BROKEN: readonly Broken[] = [
  {
    what: "no holder refutes who asks for its subnet",
    switches: ["NO_REFUTE", "TAKEOVERS=1"],
    ending: /its holder saw the question/,
  },
  {
    what: "no winner raises its epoch when a contest is over",
    switches: ["NO_RAISE", "SUBNETS=1", "ROLLBACKS=1"],
    ending: /loses it now to the same claim from an old disk/,
  },
  {
    what: "fences are forgotten with the claims",
    switches: ["NO_FENCE", "HOSTS=3", "SUBNETS=1", "CLAIMS=2", "RELEASES=1", "COLLECTS=1"],
    ending: /another owner/,
  },
  {
    what: "nothing decides between equals",
    switches: ["NO_TIE", "SUBNETS=1"],
    ending: /two hosts hold the same/,
  },
  {
    what: "a holder yields to who only asks",
    switches: ["YIELD_TO_QUESTION", "TAKEOVERS=1"],
    ending: /nobody holds it/,
  },
  {
    what: "a holder yields to its equal",
    switches: ["YIELD_TO_EQUAL", "SUBNETS=1"],
    ending: /nobody holds it/,
  },
  {
    what: "a load that changes while it is held is part of the order",
    switches: ["LIVE_LOAD", "LOADS=2", "SUBNETS=1"],
    ending: /nobody holds it/,
  },
  {
    what: "a release keeps its epoch",
    switches: [
      "RELEASE_WITHOUT_RAISE",
      "HOSTS=3",
      "SUBNETS=1",
      "CLAIMS=2",
      "RELEASES=1",
      "COLLECTS=1",
    ],
    ending: /another owner/,
  },
];

Deno.test({
  name: "the order of claims holds in every state of a model of its own",
  ignore: skipReason !== undefined,
  fn: async () => {
    const work = CONFIGURATIONS.flatMap(({ what, switches, ends }) => [
      { what, switches, search: "all" as const },
      ...(ends === true
        ? [{ what: `${what}: it ends`, switches, search: "endless" as const }]
        : []),
    ]);
    const results = await inPairs(work, ({ switches, search }) => checkModel(switches, search));
    const wrong: string[] = [];
    for (const [index, { what }] of work.entries()) {
      const result = results[index];
      assert.ok(result);
      console.log(`${String(result.states).padStart(9)} states  ${what}`);
      if (result.story !== null) wrong.push([what, ...result.story].join("\n    "));
      else if (!result.exhausted) wrong.push(`${what}: not every state was visited`);
    }
    assert.equal(wrong.join("\n"), "");
  },
});

Deno.test({
  name: "each rule that is taken out of that model gives a counter-example",
  ignore: skipReason !== undefined,
  fn: async () => {
    const results = await inPairs(BROKEN, ({ switches }) => checkModel(switches, "shortest"));
    for (const [index, { what, ending }] of BROKEN.entries()) {
      const result = results[index];
      assert.ok(result);
      console.log(`when ${what} (found in ${result.states} states):`);
      for (const line of result.story ?? []) console.log(`    ${line}`);
      assert.match(result.story?.at(-1) ?? "nothing was found", ending);
    }
  },
});
