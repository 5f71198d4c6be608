/** What the hosts of a scenario with claims are configured with, as data and as lines of a scenario file. */
import { makePool, type Pool } from "../address/pool.ts";
import { ConfigError, UserError } from "../base/errors.ts";
import type { HostName } from "./fault.ts";

/** The pool as a scenario says it: `10.9.0.0/24 28`, and reserved networks behind. */
export interface PoolText {
  readonly network: string;
  readonly subnetLength: number;
  readonly reserved?: readonly string[];
}

/** What one host has of its own. */
export interface HostSetup {
  /** The subnet that its operator wants. */
  readonly pin?: string;
  /** Whom it is given to join through; empty for nobody. The seed hosts of the scenario unless said. */
  readonly seeds?: readonly HostName[];
  /** What its first id is made from: hosts of chosen identities want the same subnets. */
  readonly identity?: string;
  readonly pool?: PoolText;
  /** Claims although no seed answers. */
  readonly bootstrap?: boolean;
  /** Starts only when a fault `boot` says so. */
  readonly later?: boolean;
}

export interface ClaimSetup {
  readonly pool: PoolText;
  /** Begins with a cluster that has been there for long, each host with a subnet that all know, instead of one by one. */
  readonly formed?: boolean;
  readonly hosts: Readonly<Record<HostName, HostSetup>>;
}

/** 254 subnets: enough for any small cluster. */
export const SIMULATED_POOL: PoolText = { network: "10.9.0.0/16", subnetLength: 24 };

const HOST_NAME = /^h[1-9]\d{0,4}$/;

/** The pool that a text means. Throws ConfigError. */
export function poolOf({ network, subnetLength, reserved }: PoolText): Pool {
  return makePool({ network, subnetLength, ...(reserved === undefined ? {} : { reserved }) });
}

/** Lines that {@linkcode parseClaimLine} reads. */
export function formatClaimSetup(setup: ClaimSetup): string[] {
  const hosts = Object.entries(setup.hosts).map(([host, own]) => `host ${host}${formatHost(own)}`);
  return [
    setup.formed === true ? "claims formed" : "claims 1",
    `pool ${formatPool(setup.pool, " ")}`,
    ...hosts,
  ];
}

/** Reads one line; the setup with it, or null when the line is about something else. Throws UserError. */
export function parseClaimLine(line: string, setup: ClaimSetup): ClaimSetup | null {
  const [word, ...rest] = line.split(/\s+/);
  switch (word) {
    case "claims":
      return rest[0] === "formed" ? { ...setup, formed: true } : setup;
    case "pool":
      return { ...setup, pool: parsePool(rest, line) };
    case "host": {
      const [host = "", ...options] = rest;
      if (!HOST_NAME.test(host)) throw bad(line, `${JSON.stringify(host)} is not a host`);
      const own = options.reduce((sum, option) => withOption(sum, option, line), {});
      return { ...setup, hosts: { ...setup.hosts, [host]: own } };
    }
    default:
      return null;
  }
}

function formatPool({ network, subnetLength, reserved = [] }: PoolText, between: string): string {
  return [network, subnetLength, ...reserved].join(between);
}

function formatHost({ pin, seeds, identity, pool, bootstrap, later }: HostSetup): string {
  const parts = [
    ...(pin === undefined ? [] : [`pin=${pin}`]),
    ...(seeds === undefined ? [] : [`seeds=${seeds.length === 0 ? "none" : seeds.join(",")}`]),
    ...(identity === undefined ? [] : [`identity=${identity}`]),
    ...(pool === undefined ? [] : [`pool=${formatPool(pool, ",")}`]),
    ...(bootstrap === true ? ["bootstrap=1"] : []),
    ...(later === true ? ["later=1"] : []),
  ];
  return parts.map((part) => ` ${part}`).join("");
}

function withOption(own: HostSetup, option: string, line: string): HostSetup {
  const at = option.indexOf("=");
  const [key, value] = [option.slice(0, at), option.slice(at + 1)];
  switch (key) {
    case "pin":
    case "identity":
      return { ...own, [key]: value };
    case "seeds":
      return { ...own, seeds: value === "none" ? [] : value.split(",") };
    case "pool":
      return { ...own, pool: parsePool(value.split(","), line) };
    case "bootstrap":
    case "later":
      return { ...own, [key]: value === "1" };
    default:
      throw bad(line, `a host has no ${JSON.stringify(key)}`);
  }
}

function parsePool(words: readonly string[], line: string): PoolText {
  const [network = "", length = "24", ...reserved] = words;
  const pool = {
    network,
    subnetLength: Number(length),
    ...(reserved.length === 0 ? {} : { reserved }),
  };
  try {
    poolOf(pool);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UserError) throw bad(line, error.message);
    throw error;
  }
  return pool;
}

function bad(line: string, reason: string): UserError {
  return new UserError(`Scenario line ${JSON.stringify(line)}: ${reason}`, {
    remedy: 'Write "pool 10.9.0.0/24 28", or "host h3" with pin=, seeds=, identity=, pool=, ' +
      "bootstrap=1, later=1",
  });
}
