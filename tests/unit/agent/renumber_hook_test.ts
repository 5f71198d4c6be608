/** The operator's command after a renumbering: its arguments, its environment, its failures. */
import assert from "node:assert/strict";
import { runRenumberHook } from "../../../mod/agent/renumber_hook.ts";
import { Log } from "../../../mod/base/log.ts";

function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = new Log({
    level: "debug",
    format: "json",
    write: (line) => void lines.push(line),
    now: () => "2026-01-01T00:00:00.000Z",
  });
  return { log, lines };
}

Deno.test("the renumber command gets both subnets, and the environment without the launcher's part", async () => {
  const folder = await Deno.makeTempDir();
  const before = Deno.env.get("DENO_NO_PROMPT");
  Deno.env.set("DENO_NO_PROMPT", "1");
  Deno.env.set("GOSSAMER_HOOK_TEST", "kept");
  try {
    const { log, lines } = recordingLog();
    await runRenumberHook(
      `sh -c 'echo "$@" >${folder}/args; env >${folder}/env' sh`,
      "10.244.1.0/24",
      "10.244.2.0/24",
      log,
    );
    assert.match(lines.join(), /the renumber command ended well/);
    assert.equal(await Deno.readTextFile(`${folder}/args`), "10.244.1.0/24 10.244.2.0/24\n");
    const environment = await Deno.readTextFile(`${folder}/env`);
    assert.match(environment, /^GOSSAMER_HOOK_TEST=kept$/m);
    assert.doesNotMatch(environment, /^DENO_(DIR|NO_UPDATE_CHECK|NO_PROMPT)=/m);
  } finally {
    Deno.env.delete("GOSSAMER_HOOK_TEST");
    if (before === undefined) Deno.env.delete("DENO_NO_PROMPT");
    else Deno.env.set("DENO_NO_PROMPT", before);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a renumber command that fails is an error of the log, with what it said", async () => {
  const { log, lines } = recordingLog();
  await runRenumberHook("echo no such bridge >&2; exit 3 #", "a", "b", log);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /"level":"error".*"code":3,"said":"no such bridge"/);
});
