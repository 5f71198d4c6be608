/** Takes back what the agent put into nf_tables, without an agent. */
import { reasonOf, UserError } from "../base/errors.ts";
import type { AddressFamily, Firewall } from "../base/firewall_objects.ts";
import type { Problem } from "../base/problem.ts";
import { openFirewall } from "../host/firewall.ts";
import { firewallTableName } from "../overlay/firewall.ts";
import { diffNoFirewall } from "../overlay/firewall_diff.ts";
import { firewallPlanText } from "../overlay/firewall_text.ts";
import { foreignTableProblem } from "./firewall_problems.ts";

const FAMILIES: readonly AddressFamily[] = ["ip", "ip6"];

export interface FirewallCleanup {
  /** As `nft` commands, one a line. */
  readonly commands: string;
  readonly operations: number;
  /** What is kept because it is not ours. */
  readonly problems: readonly Problem[];
}

/** Of this process's network namespace; where the kernel has no nf_tables there is nothing. Throws UserError. */
export async function cleanUpHostFirewall(
  vni: number,
  dryRun: boolean,
): Promise<FirewallCleanup> {
  let firewall: ReturnType<typeof openFirewall>;
  try {
    firewall = openFirewall();
  } catch {
    return { commands: "", operations: 0, problems: [] };
  }
  try {
    return cleanUpFirewall(vni, dryRun, firewall);
  } finally {
    await firewall.close();
  }
}

/** Plans and, unless it is a dry run, applies. Throws UserError when something could not be removed. */
export function cleanUpFirewall(
  vni: number,
  dryRun: boolean,
  firewall: Pick<Firewall, "dump" | "apply">,
): FirewallCleanup {
  const name = firewallTableName(vni);
  const plans = FAMILIES.map((family) => ({
    family,
    ...diffNoFirewall(family, name, dumpOf(firewall, family, name)),
  }));
  const operations = plans.flatMap((plan) => plan.operations);
  if (!dryRun && operations.length > 0) {
    try {
      firewall.apply(operations);
    } catch (error) {
      throw new UserError(
        `the table ${name} of nftables could not be removed: ${reasonOf(error)}`,
        {
          remedy: `remove it with "nft delete table ip ${name}"`,
        },
      );
    }
  }
  return {
    commands: firewallPlanText(operations),
    operations: operations.length,
    problems: plans.filter(({ isForeign }) => isForeign)
      .map(({ family }) => foreignTableProblem(family, name)),
  };
}

/** A kernel without nf_tables, or an unprivileged dry run, shows nothing. */
function dumpOf(firewall: Pick<Firewall, "dump">, family: AddressFamily, name: string) {
  try {
    return firewall.dump(family, name);
  } catch {
    return { kind: "absent" } as const;
  }
}
