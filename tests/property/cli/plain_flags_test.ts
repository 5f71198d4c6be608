/**
 * The quick reader of flags and the library must never disagree: whatever the quick one accepts, the library reads as
 * the same; whatever is beyond it is left to the library. Random command lines from the words that matter.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { ExitCode } from "../../../mod/base/errors.ts";
import { runApplication } from "../../../mod/cli/application.ts";
import type { Command, Given } from "../../../mod/cli/command.ts";
import { upCommand } from "../../../mod/cli/commands/up.ts";
import { readPlainFlags } from "../../../mod/cli/plain_flags.ts";
import { FakeOutside } from "../../support/fake_outside.ts";

/** What the library makes of the arguments of `up`; undefined when it refuses them. */
async function readByLibrary(args: readonly string[]): Promise<Given | undefined> {
  let result: Given | undefined;
  const recorder: Command = {
    ...upCommand,
    run(_outside, given) {
      result = given;
      return Promise.resolve(ExitCode.done);
    },
  };
  const outside = new FakeOutside();
  const code = await runApplication(["up", ...args], outside, [recorder]);
  ok(result !== undefined || code === ExitCode.usage || outside.stdout !== "", outside.stderr);
  return result;
}

function comparable(given: Given) {
  return { flags: [...given.flags].sort(), arguments: given.arguments };
}

const flagName = fc.constantFrom(
  ...upCommand.flags.map(({ name }) => name),
  "udp-port",
  "jion",
  "no",
);
const value = fc.oneof(
  fc.constantFrom("", "1", "a,b", "true", "false", "-1", "--", "--vni", "-h", "a=b", " ", "x\ny"),
  fc.string({ maxLength: 5 }),
);
const word = fc.oneof(
  flagName.map((name) => `--${name}`),
  fc.tuple(flagName, value).map(([name, text]) => `--${name}=${text}`),
  flagName.map((name) => `-${name}`),
  value,
);
/** Mostly well-formed pairs, so that the quick reader accepts a good part of them. */
const pair = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(flagName.map((name) => `--${name}`), value) },
  { weight: 4, arbitrary: fc.tuple(flagName, value).map(([name, text]) => [`--${name}=${text}`]) },
  { weight: 1, arbitrary: word.map((text) => [text]) },
);
const args = fc.array(pair, { maxLength: 5 }).map((pairs) => pairs.flat());

Deno.test("what the quick reader accepts, the library reads as the same", async () => {
  let accepted = 0;
  const property = fc.asyncProperty(args, async (words) => {
    const quick = readPlainFlags(upCommand.flags, words);
    if (quick === undefined) return;
    const thorough = await readByLibrary(words);
    ok(thorough !== undefined, "the library refuses what the quick reader accepts");
    deepEqual(comparable(quick), comparable(thorough));
    accepted++;
  });
  await fc.assert(property, { numRuns: 2_000 });
  ok(accepted > 200, `only ${accepted} command lines were compared`);
});

Deno.test("the quick reader accepts every flag in both spellings", async () => {
  for (const { name, kind } of upCommand.flags) {
    const lines = kind === "switch" ? [[`--${name}`]] : [[`--${name}`, "x"], [`--${name}=x`]];
    for (const line of lines) {
      const quick = readPlainFlags(upCommand.flags, line);
      ok(quick !== undefined, line.join(" "));
      const thorough = await readByLibrary(line);
      ok(thorough !== undefined);
      deepEqual(comparable(quick), comparable(thorough));
    }
  }
});

Deno.test("the quick reader leaves everything else to the library", () => {
  const lines = [
    "-h",
    "--help",
    "x",
    "--vni",
    "--vni=",
    "--vni 1 --vni 2",
    "--bootstrap=true",
    "--",
  ];
  for (const line of lines) {
    equal(readPlainFlags(upCommand.flags, line.split(" ")), undefined, line);
  }
});
