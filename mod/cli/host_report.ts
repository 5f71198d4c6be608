/** The part of a report that this process finds out by itself, whether an agent runs or not. */
import { reasonOf } from "../base/errors.ts";
import type { Finding } from "../doctor/finding.ts";
import { kernelText } from "../doctor/kernel_text.ts";
import { overlayDevice } from "../overlay/backend.ts";
import type { Given } from "./command.ts";
import { configCommand } from "./commands/config.ts";
import { agentConfig, gatherSources } from "./config/agent_config.ts";
import { examineHost } from "./examine_host.ts";
import type { Outside } from "./outside.ts";

export interface HostReport {
  readonly findings: readonly Finding[];
  /** As `gossamer config show` prints it, or why it cannot. */
  readonly config: string;
  /** As `ip` and `bridge` would say it, or why that cannot be read. */
  readonly kernel: string;
}

/** Never throws: what cannot be found out is said in its place. */
export async function hostReport(
  outside: Outside,
  given: Given,
  device: string | null,
): Promise<HostReport> {
  return {
    findings: await findingsOf(outside, given),
    config: await configText(outside),
    kernel: await textOf(async () => kernelText(device ?? await configuredDevice(outside, given))),
  };
}

async function findingsOf(outside: Outside, given: Given): Promise<readonly Finding[]> {
  try {
    return (await examineHost(outside, given)).findings;
  } catch (error) {
    const remedy = "Mend that, and run gossamer doctor";
    return [{ name: "doctor", verdict: "FAIL", finding: reasonOf(error), remedy }];
  }
}

async function configText(outside: Outside): Promise<string> {
  return await textOf(async () => {
    let text = "";
    const captured: Outside = { ...outside, print: (part) => void (text += part) };
    await configCommand.run(captured, { flags: new Map(), arguments: ["show"] });
    // What operators write into commands is theirs.
    return text.replace(/^(on-[a-z]+ = ).*$/gm, "$1(a command, left out)");
  });
}

async function configuredDevice(outside: Outside, given: Given): Promise<string> {
  const config = agentConfig(await gatherSources(outside, given), outside);
  return overlayDevice(config) ?? "";
}

async function textOf(make: () => Promise<string>): Promise<string> {
  try {
    return await make();
  } catch (error) {
    return `cannot be read: ${reasonOf(error)}\n`;
  }
}
