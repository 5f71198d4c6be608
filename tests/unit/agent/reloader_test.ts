/** Reading the configuration again: mistakes change nothing and are told, and so is what waits for a restart. */
import assert from "node:assert/strict";
import type { AgentConfig } from "../../../mod/agent/config.ts";
import { Reloader } from "../../../mod/agent/reloader.ts";
import { ConfigError } from "../../../mod/base/errors.ts";
import { Log } from "../../../mod/base/log.ts";
import { agentConfig } from "../../support/agent_config.ts";

class Stage {
  running = agentConfig();
  wanted: AgentConfig | Error = agentConfig();
  applied = 0;
  hasUnreadKeys = false;
  refusal: Error | null = null;
  readonly lines: string[] = [];
  readonly reloader = new Reloader({
    log: new Log({
      level: "info",
      format: "text",
      write: (line) => void this.lines.push(line),
      now: () => "",
    }),
    running: () => this.running,
    hasUnreadKeys: () => this.hasUnreadKeys,
    reread: () =>
      this.wanted instanceof Error ? Promise.reject(this.wanted) : Promise.resolve(this.wanted),
    apply: ({ config }) => {
      if (this.refusal !== null) return Promise.reject(this.refusal);
      this.running = config;
      this.applied++;
      return Promise.resolve();
    },
  });

  codes(): string[] {
    return this.reloader.problems().map(({ code }) => code);
  }
}

Deno.test("a mistake in the file changes nothing, is a problem, and is forgotten when it is mended", async () => {
  const stage = new Stage();
  stage.wanted = new ConfigError("/etc/g.toml, line 3: mtu", "1 is too small", "give 576 or more");
  await stage.reloader.reload();
  assert.deepEqual([stage.applied, stage.codes()], [0, ["configuration-refused"]]);
  const [problem] = stage.reloader.problems();
  assert.match(problem?.text ?? "", /line 3: mtu: 1 is too small/);
  assert.match(problem?.remedy ?? "", /^give 576 or more; then reload again/);
  stage.wanted = agentConfig({ ipMasq: true });
  await stage.reloader.reload();
  assert.deepEqual([stage.running.ipMasq, stage.codes()], [true, []]);
});

Deno.test("what this host does not allow is refused as a mistake is", async () => {
  const stage = new Stage();
  stage.wanted = agentConfig({ mtu: 9000 });
  stage.refusal = new Error("the underlay has room for 1450");
  await stage.reloader.reload();
  assert.deepEqual([stage.running.mtu, stage.codes()], [null, ["configuration-refused"]]);
});

Deno.test("settings that wait for a restart are named until they are put back", async () => {
  const stage = new Stage();
  stage.wanted = agentConfig({ vni: 7, cluster: "other", logLevel: "debug" });
  await stage.reloader.reload();
  assert.match(stage.reloader.problems()[0]?.text ?? "", /agent: cluster, vni$/);
  assert.equal(stage.running.logLevel, "debug");
  stage.wanted = agentConfig();
  await stage.reloader.reload();
  assert.deepEqual(stage.codes(), []);
});

Deno.test("whoever asks while it is read is heard afterwards, and once", async () => {
  const stage = new Stage();
  const first = stage.reloader.reload();
  stage.wanted = agentConfig({ ipMasq: true });
  await Promise.all([first, stage.reloader.reload(), stage.reloader.reload()]);
  assert.equal(stage.running.ipMasq, true);
  assert.equal(stage.applied, 2);
});

Deno.test("keys that somebody wrote into the key file wait for a restart too", async () => {
  const stage = new Stage();
  stage.hasUnreadKeys = true;
  await stage.reloader.reload();
  assert.match(stage.reloader.problems()[0]?.text ?? "", /agent: key-file$/);
  stage.wanted = agentConfig({ keyFile: "/etc/other" });
  await stage.reloader.reload();
  assert.match(stage.reloader.problems()[0]?.text ?? "", /agent: key-file$/);
  [stage.hasUnreadKeys, stage.wanted] = [false, agentConfig()];
  await stage.reloader.reload();
  assert.deepEqual(stage.codes(), []);
});
