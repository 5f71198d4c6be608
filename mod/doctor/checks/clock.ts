/**
 * Whether the clock can be right. Gossip and claims need no clock but one thing: at its start a host reckons by it how long it
 * was away, and asks the others before it takes its subnet back when that was long.
 */
import type { Check } from "../check.ts";
import { ok, warn } from "../finding.ts";

const NAME = "clock";
/** No host that runs this program can have an earlier one: 2026-01-01. */
const EARLIEST_MS = 1_767_225_600_000;
/** Clocks of one host, before and after a step of NTP, differ by less. */
const AHEAD_MS_MAX = 60_000;

export const clock: Check = {
  name: NAME,
  isRepeated: true,
  run(host) {
    const nowMs = host.nowMs();
    const now = new Date(nowMs).toISOString();
    const remedy =
      "Set the clock (timedatectl, chronyc makestep), and keep it by NTP from the start on";
    if (nowMs < EARLIEST_MS) return [warn(NAME, `The clock says ${now}, which cannot be`, remedy)];
    const marked = host.modifiedMs(`${host.setup.stateDir}/claim.state`);
    if (marked !== null && marked - nowMs > AHEAD_MS_MAX) {
      return [warn(
        NAME,
        `The clock says ${now}, and the state directory was last written later, at ${
          new Date(marked).toISOString()
        }`,
        remedy,
      )];
    }
    return [ok(NAME, `The clock says ${now}`)];
  },
};
