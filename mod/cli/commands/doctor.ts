/** `gossamer doctor`: looks at this host for what would keep the overlay from working, before the agent starts or beside it. */
import { ExitCode } from "../../base/errors.ts";
import type { Command } from "../command.ts";
import { givenSwitch } from "../command.ts";
import { flagOf } from "../config/setting.ts";
import { SETTING_LIST } from "../config/settings.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import { paintFor } from "../paint.ts";

export const doctorCommand: Command = {
  name: "doctor",
  brief: "Look for what keeps the overlay from working on this host",
  description:
    `Looks at this host: privileges, kernel, ports, firewalls, addresses, MTU, limits, disk. Works
before the first start, with the settings of gossamer up, and beside a running agent, which is
asked what it knows. Nothing is changed; a few packets are sent to other hosts.

Prints a line a finding, ok, warn or FAIL, with a remedy, and exits with 1 when there is a FAIL.`,
  examples: [
    { line: "gossamer doctor --join 192.168.1.10", text: "before the first start" },
    { line: "gossamer doctor", text: "beside the agent" },
    { line: "gossamer doctor | grep -v ^ok", text: "what to look at" },
  ],
  flags: [JSON_FLAG, ...SETTING_LIST.map(flagOf)],
  async run(outside, given) {
    const { examineHost } = await import("../examine_host.ts");
    const { findings, hasAgent } = await examineHost(outside, given);
    if (givenSwitch(given, "json")) {
      printJson(outside, { schema: 1, agent: hasAgent, findings });
    } else {
      const { renderFindings } = await import("../render_findings.ts");
      outside.print(renderFindings(findings, paintFor(outside)));
    }
    const hasFailed = findings.some(({ verdict }) => verdict === "FAIL");
    return hasFailed ? ExitCode.failed : ExitCode.done;
  },
};
