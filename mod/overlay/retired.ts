/** What an earlier run of this host's agent left of another backend: its device goes, with all that it carries. */
import type { KernelState } from "../base/kernel_objects.ts";
import { planCleanup } from "./cleanup.ts";
import type { Desired } from "./desired.ts";
import { ownLink } from "./ownership.ts";
import type { Plan } from "./plan.ts";

/**
 * The plan that goes on where `plan` ends: nothing is retired before what takes its place is there. The same plan when
 * nothing is left.
 */
export function withRetired(
  plan: Plan,
  { retired, networks }: Pick<Desired, "retired" | "networks">,
  dump: (device: string) => KernelState,
): Plan {
  const plans = retired.map(({ name, alias }) => {
    const state = dump(name);
    if (ownLink(state.link, alias) === null) return null;
    // Routes elsewhere are the present backend's.
    const routes = state.routes.filter(({ device }) => device === name);
    return planCleanup(name, networks, { ...state, routes }, alias);
  });
  if (plans.every((retiring) => retiring === null)) return plan;
  const all = [plan, ...plans.filter((retiring) => retiring !== null)];
  return {
    operations: all.flatMap(({ operations }) => operations),
    problems: all.flatMap(({ problems }) => problems),
  };
}
