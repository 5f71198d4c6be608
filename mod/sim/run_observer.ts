/** Who watches a run, for traces and pictures, and the cluster as they see it: alike for all kinds of hosts. */
import type { Action, Endpoint, Input } from "../base/core.ts";
import type { ClaimSnapshot, HostCommand, HostEvent } from "../claim/host_core.ts";
import type { MemberId } from "../swim/member.ts";
import type { SwimCommand, SwimSnapshot } from "../swim/swim.ts";
import type { Fault } from "./fault.ts";
import type { Gait } from "./sim_host.ts";
import type { Traffic } from "./traffic.ts";

/** A simulated host, whatever it runs. */
export interface ObservedHost {
  readonly name: string;
  readonly index: number;
  /** Its first address. */
  readonly home: Endpoint;
  readonly isRunning: boolean;
  readonly gait: Gait;
  readonly boots: number;
  readonly traffic: Traffic;
}

export interface RunView {
  readonly nowMs: number;
  readonly hosts: readonly ObservedHost[];
  /** The id that a host has, or had when it ran last. */
  idOf(host: ObservedHost): MemberId;
  /** Of a host that runs. */
  swim(host: ObservedHost): SwimSnapshot;
  /** Of a host that runs; null where hosts run membership alone. */
  claim(host: ObservedHost): ClaimSnapshot | null;
  reaches(from: ObservedHost, to: ObservedHost): boolean;
}

/** Sees everything that happens. */
export interface RunObserver {
  /** The run begins. */
  attach?(view: RunView): void;
  step?(
    host: ObservedHost,
    nowMs: number,
    input: Input<SwimCommand | HostCommand>,
    actions: readonly Action<HostEvent>[],
  ): void;
  fault?(nowMs: number, fault: Fault, hasHappened: boolean): void;
}

/** Tells two observers of everything. */
export function both(one: RunObserver, other: RunObserver): RunObserver {
  return {
    attach(view) {
      one.attach?.(view);
      other.attach?.(view);
    },
    step(host, nowMs, input, actions) {
      one.step?.(host, nowMs, input, actions);
      other.step?.(host, nowMs, input, actions);
    },
    fault(nowMs, fault, hasHappened) {
      one.fault?.(nowMs, fault, hasHappened);
      other.fault?.(nowMs, fault, hasHappened);
    },
  };
}
