/** Which settings a running agent takes over, and that users are told of each. */
import assert from "node:assert/strict";
import { planReload, RELOADED_SETTINGS } from "../../../mod/agent/reload_plan.ts";
import { SETTING_LIST } from "../../../mod/cli/config/settings.ts";
import { agentConfig } from "../../support/agent_config.ts";

Deno.test("what did not change is not done again", () => {
  const config = agentConfig({ join: ["h1"], masqueradeExcluded: ["10.0.0.0/8"] });
  const plan = planReload(config, structuredClone(config));
  assert.deepEqual(plan, { config, changed: [], waiting: [] });
});

Deno.test("what can change at once is taken over, and what cannot is named and left as it was", () => {
  const running = agentConfig({ ipMasq: false, vni: 1, bootstrap: false });
  const wanted = agentConfig({
    ipMasq: true,
    mtu: 1400,
    vni: 7,
    cluster: "other",
    bootstrap: true,
  });
  const { config, changed, waiting } = planReload(running, wanted);
  assert.deepEqual(changed.toSorted(), ["ipMasq", "mtu"]);
  assert.deepEqual(waiting.toSorted(), ["cluster", "vni"]);
  assert.deepEqual(config, { ...running, ipMasq: true, mtu: 1400 });
});

Deno.test("a setting that was put back waits no more", () => {
  const running = agentConfig({ vni: 1 });
  const { config } = planReload(running, agentConfig({ vni: 7 }));
  assert.deepEqual(planReload(config, agentConfig({ vni: 1 })).waiting, []);
});

Deno.test("to take over one configuration after another is to take over the last one", () => {
  const configs = [
    agentConfig({ logLevel: "debug", join: ["a"] }),
    agentConfig({ mtu: null, followsMtu: true, join: ["b"] }),
    agentConfig({ guard: false, txChecksum: false, onEvent: "cat", vni: 3 }),
  ];
  let config = agentConfig();
  for (const wanted of configs) config = planReload(config, wanted).config;
  assert.deepEqual(config, planReload(agentConfig(), configs.at(-1) ?? config).config);
});

Deno.test("the settings that are taken over are real ones, and the operator's guide names them", () => {
  const known = SETTING_LIST.map(({ name }) => name);
  assert.deepEqual(RELOADED_SETTINGS.filter((name) => !known.includes(name)), []);
  const guide = Deno.readTextFileSync(new URL("../../../docs/operating.md", import.meta.url));
  const [, section = ""] = /\n## Changing settings\n([^]*?)\n## /.exec(guide) ?? [];
  const [, list = ""] = /At once: ([^]*?)\./.exec(section) ?? [];
  const named = [...list.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
  assert.deepEqual(named, RELOADED_SETTINGS);
});
