/** What this process may do: effective capabilities (linux/capability.h) from /proc/self/status. */

/** Bit numbers. */
const CAPABILITIES = {
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_ADMIN: 21,
} as const;

/** A capability that gossamer has a use for. */
export type Capability = keyof typeof CAPABILITIES;

/** The effective set in the text of /proc/PID/status. Throws when the line is not there. */
export function parseEffectiveCapabilities(status: string): bigint {
  const [, set] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if (set === undefined) {
    throw new Error("Cannot read capabilities: /proc/self/status has no CapEff");
  }
  return BigInt(`0x${set}`);
}

/** True when this process holds `capability` in its effective set. */
export function hasCapability(capability: Capability): boolean {
  const set = parseEffectiveCapabilities(Deno.readTextFileSync("/proc/self/status"));
  return ((set >> BigInt(CAPABILITIES[capability])) & 1n) === 1n;
}
