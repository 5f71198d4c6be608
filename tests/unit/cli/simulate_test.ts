/** `gossamer simulate`: scenarios by name and from files, what it writes, and how it ends. */
import assert from "node:assert/strict";
import { ExitCode, UserError } from "../../../mod/base/errors.ts";
import { simulateCommand } from "../../../mod/cli/commands/simulate.ts";
import { FakeOutside } from "../../support/fake_outside.ts";

async function simulate(...words: string[]): Promise<{ code: ExitCode; outside: FakeOutside }> {
  const outside = new FakeOutside();
  const flags = new Map<string, string[]>();
  for (let at = 0; at < words.length; at++) {
    const name = (words[at] ?? "").replace(/^--/, "");
    const flag = simulateCommand.flags.find((one) => one.name === name);
    assert(flag !== undefined, `a flag: ${name}`);
    flags.set(name, [flag.kind === "switch" ? "true" : words[++at] ?? ""]);
  }
  return { code: await simulateCommand.run(outside, { flags, arguments: [] }), outside };
}

Deno.test("the tour tells what happened, what it cost, and that every rule held", async () => {
  const { code, outside } = await simulate("--hosts", "5");
  assert.equal(code, ExitCode.done);
  for (
    const part of [/5 hosts start/, /kill h5/, /partition/, /heal/, /leave h5/, /Every rule held/]
  ) {
    assert.match(outside.stdout, part);
  }
});

Deno.test("equal seeds give equal documents", async () => {
  const words = ["--scenario", "random", "--hosts", "5", "--seed", "9", "--json"];
  const [one, other] = [await simulate(...words), await simulate(...words)];
  assert.equal(one.outside.stdout, other.outside.stdout);
  const document = JSON.parse(one.outside.stdout);
  assert.deepEqual([document.schema, document.seed, document.failure], [1, 9, null]);
});

Deno.test("a scenario file is played, and its run drawn and written down", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/split.txt`;
    await Deno.writeTextFile(path, "hosts 3\nseed 4\n12000 kill h3\n");
    const { code, outside } = await simulate(
      ...["--scenario", path, "--svg", `${folder}/run.svg`, "--trace", `${folder}/run.log`],
    );
    assert.equal(code, ExitCode.done);
    assert.match(outside.stdout, /3 hosts, .*seed 4/);
    assert.match(await Deno.readTextFile(`${folder}/run.svg`), /<title>h3 dead/);
    assert.match(await Deno.readTextFile(`${folder}/run.log`), /MEMBER-FAILED H3/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("several seeds are counted", async () => {
  const { code, outside } = await simulate("--scenario", "crash", "--hosts", "4", "--seeds", "3");
  assert.deepEqual([code, outside.stdout], [ExitCode.done, "3 passed, 0 failed\n"]);
});

for (
  const [words, reason] of [
    [["--scenario", "fire"], /there is no scenario "fire"/],
    [["--scenario", "./nowhere.txt"], /nowhere.txt cannot be read/],
    [["--hosts", "0"], /--hosts: "0" is not a whole number from 1/],
    [["--loss", "101"], /--loss: "101" is not a percentage/],
    [["--seed", "x"], /--seed: "x"/],
  ] as const
) {
  Deno.test(`${words.join(" ")} is refused as wrong usage`, async () => {
    await assert.rejects(simulate(...words), (error) => {
      assert.ok(error instanceof UserError && error.exitCode === ExitCode.usage);
      assert.match(error.message, reason);
      return true;
    });
  });
}
