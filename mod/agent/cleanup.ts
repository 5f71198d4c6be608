/** Takes back what the agent put into the kernel, without an agent: everything provably ours on its devices. */
import { familyOf } from "../address/cidr.ts";
import { ExitCode, UserError } from "../base/errors.ts";
import type { Kernel, OperationFailure } from "../base/kernel_objects.ts";
import type { Problem } from "../base/problem.ts";
import { openKernel } from "../host/kernel.ts";
import { cleanUpHostFirewall } from "./cleanup_firewall.ts";
import { planCleanup } from "../overlay/cleanup.ts";
import type { Plan } from "../overlay/plan.ts";
import { withRetired } from "../overlay/retired.ts";
import { retiredUdp } from "../overlay/udp.ts";
import { operationText, planText } from "../overlay/text.ts";
import { deviceName } from "../overlay/vxlan.ts";

const NO_PLAN: Plan = { operations: [], problems: [] };

export interface CleanupOptions {
  /** Chooses the devices, `flannel.<vni>` and `flannel-v6.<vni>`, and `flannel0` if it is this overlay's. */
  readonly vni: number;
  /** The overlay's networks of both families, canonical CIDRs: they tell our routes through the underlay, and addresses without a tag. */
  readonly networks: readonly string[];
  /** Plan only. */
  readonly dryRun: boolean;
}

export interface CleanupReport {
  readonly device: string;
  /** The plan as `ip`, `bridge` and `nft` commands, one a line. */
  readonly commands: string;
  readonly operations: number;
  /** What is kept because it is not ours. */
  readonly problems: readonly Problem[];
  /** Other devices that gossamer made. */
  readonly otherDevices: readonly string[];
}

/** The part of the host's kernel that cleaning up takes. */
export interface CleanupKernel extends Pick<Kernel, "dump" | "apply"> {
  ownDevices(): string[];
  deviceName(index: number): string;
}

/** Cleans the kernel of this process's network namespace. Throws UserError when something could not be removed. */
export async function cleanUpHost(options: CleanupOptions): Promise<CleanupReport> {
  const kernel = openKernel();
  try {
    const report = cleanUp(options, kernel);
    const firewall = await cleanUpHostFirewall(options.vni, options.dryRun);
    return {
      ...report,
      commands: report.commands + firewall.commands,
      operations: report.operations + firewall.operations,
      problems: [...report.problems, ...firewall.problems],
    };
  } finally {
    await kernel.close();
  }
}

/** Plans and, unless it is a dry run, applies. Throws UserError when something could not be removed. */
export function cleanUp(options: CleanupOptions, kernel: CleanupKernel): CleanupReport {
  const device = deviceName(options.vni);
  const ipv6Device = deviceName(options.vni, 6);
  const cleaned = new Set([device, ipv6Device]);
  const networksOf = (wanted: 4 | 6) =>
    options.networks.filter((network) => familyOf(network) === wanted);
  const plans = [
    planCleanup(device, networksOf(4), kernel.dump(device)),
    planCleanup(ipv6Device, networksOf(6), kernel.dump(ipv6Device, undefined, 6)),
    withRetired(NO_PLAN, {
      retired: [retiredUdp(options.vni)],
      networks: options.networks,
    }, (name) => kernel.dump(name)),
  ];
  const plan = {
    operations: plans.flatMap(({ operations }) => operations),
    problems: plans.flatMap(({ problems }) => problems),
  };
  for (const operation of plan.operations) {
    if (operation.kind === "link-delete") cleaned.add(operation.name);
  }
  if (!options.dryRun && plan.operations.length > 0) {
    const failures = kernel.apply(plan.operations);
    if (failures.length > 0) throw refused(failures, plan.operations.length);
  }
  return {
    device,
    commands: planText(plan.operations, (index) => kernel.deviceName(index)),
    operations: plan.operations.length,
    problems: plan.problems,
    otherDevices: kernel.ownDevices().filter((name) => !cleaned.has(name)),
  };
}

function refused(failures: readonly OperationFailure[], all: number): UserError {
  const [first] = failures;
  const what = first === undefined ? "" : `: ${operationText(first.operation)}: ${first.message}`;
  const denied = failures.some(({ code }) => code === "EPERM" || code === "EACCES");
  return new UserError(`the kernel refused ${failures.length} of ${all} removals${what}`, {
    exitCode: denied ? ExitCode.privilege : ExitCode.failed,
    remedy: denied
      ? "run it as root in the agent's network namespace"
      : "run gossamer cleanup --dry-run to see what is left",
  });
}
