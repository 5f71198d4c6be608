/** What a check is. */
import type { DoctorHost } from "./doctor_host.ts";
import type { Finding } from "./finding.ts";

export interface Check {
  /** Stable, for scripts and documents. */
  readonly name: string;
  /** Whether the agent repeats it while it runs: cheap, without packets, and nothing that it knows better by itself. */
  readonly isRepeated: boolean;
  /** What it throws is a finding: that it could not look. */
  run(host: DoctorHost): readonly Finding[] | Promise<readonly Finding[]>;
}
