/** The file of settings that a new host begins with. Pure. */
import { assignment } from "../config/assignment.ts";

const HEAD =
  `# Settings of gossamer: gossamer.toml(5), or gossamer up --help; each flag is a key here.
# gossamer config check reads this file, systemctl reload gossamer takes changes over.
`;

/** What most hosts need, for those who begin without any. */
const SUGGESTED = `
# The first host needs none; every other one names one or more of the others.
# join = ["192.168.1.10"]

# Give what containers send out of the overlay this host's address.
# ip-masq = true
`;

export interface GivenSetting {
  readonly name: string;
  readonly value: unknown;
}

/** @param given those that the operator named; with none, what most need stands there as comments. */
export function configText(given: readonly GivenSetting[]): string {
  if (given.length === 0) return HEAD + SUGGESTED;
  return `${HEAD}\n${given.map(({ name, value }) => `${assignment(name, value)}\n`).join("")}`;
}
