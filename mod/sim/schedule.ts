/** A whole run as data: the cluster, its seed, and every fault with its time. Written and read as a scenario file. */
import { UserError } from "../base/errors.ts";
import {
  type ClaimSetup,
  formatClaimSetup,
  parseClaimLine,
  SIMULATED_POOL,
} from "./claim_setup.ts";
import type { TimedFault } from "./fault.ts";
import { formatTimedFault, parseTimedFault } from "./fault_text.ts";

export interface Schedule {
  /** Of everything that is drawn while it runs. */
  readonly seed: number;
  readonly hosts: number;
  /** So many of the first hosts are everybody's seeds. */
  readonly seedHosts: number;
  /** The hosts start within this time; 0 begins with a cluster that has been there for long. */
  readonly startWithinMs: number;
  /** Whether gossip is sealed with a key. */
  readonly isSealed: boolean;
  /** Whole hosts, with claims; without it they run membership alone. */
  readonly claims?: ClaimSetup;
  /** In order of their times. */
  readonly faults: readonly TimedFault[];
}

/** The numbers of a scenario, each on a line of its own before the faults. */
const HEADERS = ["seed", "hosts", "seed-hosts", "start-within", "sealed"] as const;
type Header = typeof HEADERS[number];

/** As many hosts as a run may have: memory for each to know all others. */
export const HOSTS_MAX = 10_000;

/** When the last fault is. */
export function lastFaultAtMs(schedule: Schedule): number {
  return schedule.faults.at(-1)?.atMs ?? 0;
}

/** The scenario file of a schedule, which {@linkcode parseSchedule} reads. */
export function formatSchedule(schedule: Schedule): string {
  const values: Record<Header, number> = {
    "seed": schedule.seed,
    "hosts": schedule.hosts,
    "seed-hosts": schedule.seedHosts,
    "start-within": schedule.startWithinMs,
    "sealed": schedule.isSealed ? 1 : 0,
  };
  const head = HEADERS.map((header) => `${header} ${values[header]}`);
  const claims = schedule.claims === undefined ? [] : formatClaimSetup(schedule.claims);
  return [...head, ...claims, ...schedule.faults.map(formatTimedFault), ""].join("\n");
}

/** Reads a scenario file: `#` begins a comment. Throws {@linkcode UserError} that quotes the line. */
export function parseSchedule(text: string): Schedule {
  const values: Record<Header, number> = {
    "seed": 1,
    "hosts": 5,
    "seed-hosts": 1,
    "start-within": 1000,
    "sealed": 0,
  };
  let claims: ClaimSetup | undefined;
  const faults: TimedFault[] = [];
  for (const whole of text.split("\n")) {
    const line = whole.replace(/#.*/, "").trim();
    if (line === "") continue;
    const [word = "", value = ""] = line.split(/\s+/);
    const setup = parseClaimLine(line, claims ?? { pool: SIMULATED_POOL, hosts: {} });
    if (setup !== null) claims = setup;
    else if (isHeader(word)) values[word] = header(word, value, line);
    else faults.push(parseTimedFault(line));
  }
  faults.sort((one, other) => one.atMs - other.atMs);
  return {
    seed: values.seed,
    hosts: values.hosts,
    seedHosts: Math.max(1, Math.min(values.hosts, values["seed-hosts"])),
    startWithinMs: values["start-within"],
    isSealed: values.sealed !== 0,
    ...(claims === undefined ? {} : { claims }),
    faults,
  };
}

function isHeader(word: string): word is Header {
  return HEADERS.some((header) => header === word);
}

function header(word: Header, text: string, line: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  const isFine = word === "hosts" ? value >= 1 && value <= HOSTS_MAX : value >= 0;
  if (isFine) return value;
  throw new UserError(`Scenario line ${JSON.stringify(line)}: not a whole number`, {
    remedy: `Write ${word} and a number, such as "${word} ${word === "hosts" ? 20 : 1}"; ` +
      `at most ${HOSTS_MAX} hosts`,
  });
}
