/** Runs checks one after the other; one that fails to look says so and stops nobody else. */
import { reasonOf } from "../base/errors.ts";
import type { Check } from "./check.ts";
import type { DoctorHost } from "./doctor_host.ts";
import { type Finding, warn } from "./finding.ts";

export async function examine(host: DoctorHost, checks: readonly Check[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...await findingsOf(check, host));
  return findings;
}

async function findingsOf(check: Check, host: DoctorHost): Promise<readonly Finding[]> {
  try {
    return await check.run(host);
  } catch (error) {
    const remedy = "Run it as root, in the network namespace of the agent";
    return [warn(check.name, `Cannot be looked at: ${reasonOf(error)}`, remedy)];
  }
}
