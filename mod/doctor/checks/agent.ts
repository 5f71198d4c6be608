/** What the agent of this host says is wrong, if one runs. */
import type { Check } from "../check.ts";
import type { AgentFacts } from "../doctor_host.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

const NAME = "agent";

export const agent: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    if (host.agent === null) return [ok(NAME, `None runs on ${host.setup.runDir}`)];
    return [state(host.agent), ...host.agent.problems.map(problem)];
  },
};

function state({ ready, host, claim, overlay }: AgentFacts): Finding {
  if (ready) return ok(NAME, `${host.name} is ready and has ${claim.subnet ?? "no subnet"}`);
  const why = claim.reason ?? overlay.lastError ?? "the overlay is not as wanted yet";
  return fail(NAME, `Not ready: ${why}`, "gossamer status says more");
}

/** Its own words under its own name. */
function problem({ code, severity, text, remedy }: AgentFacts["problems"][number]): Finding {
  return severity === "error" ? fail(code, text, remedy) : warn(code, text, remedy);
}
