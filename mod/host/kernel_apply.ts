/**
 * Applies plans over rtnetlink: devices one by one, all that they carry in a few sends. The kernel's refusals come back
 * with their operations; that something to be removed was not there, or something to be added was, is none.
 */
import { SysError } from "../../ffi/errno.ts";
import { isExisting, isMissing, NetlinkError } from "../../ffi/netlink/error.ts";
import type {
  NetlinkReply,
  NetlinkRequest,
  NetlinkTransport,
} from "../../ffi/netlink/transport.ts";
import { type Link, linkDelete, linkGet, linkSet } from "../../ffi/route/link.ts";
import { type Route as KernelRoute, ROUTE_TYPE, routeDump } from "../../ffi/route/route.ts";
import { vxlanAdd, vxlanMove } from "../../ffi/route/vxlan.ts";
import { assert } from "../base/assert.ts";
import {
  isTunLink,
  type LinkChanges,
  type LinkMove,
  type Operation,
  type OperationFailure,
  type Route,
  type VxlanLink,
} from "../base/kernel_objects.ts";
import { addTun } from "./tun.ts";
import {
  deviceOf,
  encodeOperation,
  type EntryOperation,
  isLinkOperation,
  isRemoval,
  type LinkOperation,
} from "./kernel_encode.ts";

/**
 * The kernel compares each new route with all that share a bucket with it, and neither destination nor gateway is part of
 * the bucket's number: device, protocol, priority, preferred source and scope are (net/ipv4/fib_semantics.c,
 * fib_info_hashfn). So 5,000 routes through one device cost it 12,500,000 comparisons, 0.3 s. Of these numbers the scope is
 * the one that changes nothing about packets: a lookup asks for a scope of at least 0, and what is below RT_SCOPE_SITE,
 * 200, is "really user-defined" (linux/rtnetlink.h). So each scope from 1 to 199 gets its share.
 * The 256 subnets of the default pool look as flannel's do.
 */
const PLAIN_ROUTES = 256;
const SCOPES = 199;

/** Who wants to hear of what is done here. */
export interface ApplyHooks {
  /** A device was made, or stands elsewhere now. */
  made(link: Link): void;
  /** These changes are about to be made. */
  expected(operations: readonly Operation[]): void;
}

export class PlanApplier {
  readonly #transport: NetlinkTransport;
  readonly #hooks: ApplyHooks;
  readonly #failures: OperationFailure[] = [];
  /** Devices that could not be made: nothing is tried on them. */
  readonly #missing = new Set<string>();
  /** By index: devices that stand in the way. */
  readonly #names = new Map<number, string>();

  constructor(transport: NetlinkTransport, hooks: ApplyHooks) {
    this.#transport = transport;
    this.#hooks = hooks;
  }

  /** Applies in order. Throws as the transport does. */
  apply(plan: readonly Operation[]): OperationFailure[] {
    for (const step of stepsOf(plan)) {
      if (Array.isArray(step)) {
        const batch = new EntryBatch(this.#transport, step, this.#missing);
        const requests = [...batch.requests()];
        this.#hooks.expected(batch.sent);
        this.#judge(batch, this.#transport.request(requests));
      } else this.#link(step);
    }
    return this.#failures;
  }

  /** As `apply`, while others work; ends early once `isCancelled`. */
  async applyLater(
    plan: readonly Operation[],
    isCancelled: () => boolean,
  ): Promise<OperationFailure[]> {
    for (const step of stepsOf(plan)) {
      if (isCancelled()) break;
      if (Array.isArray(step)) {
        const batch = new EntryBatch(this.#transport, step, this.#missing, isCancelled);
        this.#hooks.expected(step);
        this.#judge(batch, await this.#transport.requestLater(batch.requests()));
      } else this.#link(step);
    }
    return this.#failures;
  }

  #link(operation: LinkOperation): void {
    const failure = this.#applyLink(operation);
    if (failure === null) return;
    this.#failures.push(failure);
    if (operation.kind === "link-add") this.#missing.add(operation.link.name);
  }

  #applyLink(operation: LinkOperation): OperationFailure | null {
    try {
      switch (operation.kind) {
        case "link-add":
          if (isTunLink(operation.link)) {
            this.#hooks.made(addTun(this.#transport, operation.link));
          } else this.#addLink(operation.link);
          return null;
        case "link-set":
          this.#setLink(operation.name, operation.changes);
          return null;
        case "link-move":
          this.#moveLink(operation.name, operation.move);
          return null;
        case "link-delete": {
          const link = linkGet(this.#transport, operation.name);
          if (link !== null) linkDelete(this.#transport, link.index);
          return null;
        }
      }
    } catch (error) {
      if (error instanceof SysError && operation.kind === "link-add") {
        return { operation, code: error.code, message: error.message };
      }
      if (!(error instanceof NetlinkError)) throw error;
      if (isRemoval(operation) && isMissing(error)) return null;
      return { operation, code: error.code, message: error.message };
    }
  }

  #addLink(link: VxlanLink): void {
    const made = vxlanAdd(this.#transport, {
      name: link.name,
      address: link.mac,
      mtu: link.mtu,
      // Packets queue at the underlay's device, not here (flannel's choice too).
      txQueueLength: 0,
      alias: link.alias,
      up: link.up,
      vxlan: {
        id: link.vni,
        port: link.port,
        learning: link.learning,
        ...(link.underlayIndex === 0 ? {} : { link: link.underlayIndex }),
        ...(link.local === "" ? {} : { local: link.local }),
      },
    });
    this.#hooks.made(made);
  }

  #setLink(name: string, { mac, ...changes }: LinkChanges): void {
    const present = linkGet(this.#transport, name);
    if (present === null) return; // gone since the dump: the next comparison makes it anew
    const settings = mac === undefined ? changes : { ...changes, address: mac };
    linkSet(this.#transport, present.index, settings);
  }

  #moveLink(name: string, { local, underlayIndex }: LinkMove): void {
    const present = linkGet(this.#transport, name);
    if (present === null) return; // as above
    vxlanMove(this.#transport, present.index, {
      ...(local === undefined ? {} : { local }),
      ...(underlayIndex === undefined ? {} : { link: underlayIndex }),
    });
    const moved = linkGet(this.#transport, present.index);
    if (moved !== null) this.#hooks.made(moved);
  }

  #judge({ sent, failures }: EntryBatch, replies: readonly NetlinkReply[]): void {
    for (const failure of failures) this.#failures.push(failure);
    const taken: OperationFailure[] = [];
    for (const [position, { error }] of replies.entries()) {
      if (error === null) continue;
      const operation = sent[position];
      assert(operation !== undefined, "the kernel gives one reply per request");
      if (isRemoval(operation) && isMissing(error)) continue;
      const failure = { operation, code: error.code, message: error.message };
      if (isExisting(error)) taken.push(failure);
      else this.#failures.push(failure);
    }
    if (taken.length > 0) this.#judgeTaken(taken);
  }

  /** Something is in the place where we wanted to add: no failure when it is just what we wanted. One look for all. */
  #judgeTaken(failures: readonly OperationFailure[]): void {
    const tables = new Map<string, Map<string, KernelRoute>>();
    for (const failure of failures) {
      const { operation } = failure;
      // The kernel refuses an address only when that very address is there.
      if (operation.kind !== "route-add") continue;
      const { route } = operation;
      const family = route.destination.includes(":") ? 6 : 4;
      const key = `${family} ${route.table}`;
      const table = tables.get(key) ?? this.#routesOf(family, route.table);
      tables.set(key, table);
      const there = table.get(placeOf(route.destination, route.metric));
      // Gone again: the next comparison settles it.
      if (there === undefined) this.#failures.push(failure);
      else if (!this.#isWanted(route, there)) this.#failures.push(this.#inTheWay(failure, there));
    }
  }

  #routesOf(family: 4 | 6, table: number): Map<string, KernelRoute> {
    const routes = routeDump(this.#transport, { family, table });
    // The kernel lists the one that counts first.
    return new Map(
      routes.reverse().map((route) => [placeOf(route.destination, route.priority ?? 0), route]),
    );
  }

  #isWanted(wanted: Route, there: KernelRoute): boolean {
    return this.#deviceOf(there) === wanted.device && there.gateway === wanted.gateway &&
      there.onlink === wanted.onlink && there.protocol === wanted.protocol;
  }

  #inTheWay({ operation, code }: OperationFailure, there: KernelRoute): OperationFailure {
    const device = this.#deviceOf(there);
    const via = there.gateway === null ? "" : ` via ${there.gateway}`;
    const on = device === "" ? "without a device" : `on ${device}`;
    const message = `There is a route to ${there.destination}${via} ${on} already ` +
      `(protocol ${there.protocol}), which gossamer did not make; delete it with ` +
      `"ip route delete ${there.destination}${device === "" ? "" : ` dev ${device}`}"`;
    return { operation, code, message };
  }

  #deviceOf({ index, type }: KernelRoute): string {
    if (type === ROUTE_TYPE.UNREACHABLE || index === null) return "";
    const name = this.#names.get(index) ?? linkGet(this.#transport, index)?.name ?? `if${index}`;
    this.#names.set(index, name);
    return name;
  }
}

function placeOf(destination: string, metric: number): string {
  return `${destination} ${metric}`;
}

/** Operations on a device alone; what lies between two of them together. */
function stepsOf(plan: readonly Operation[]): (LinkOperation | EntryOperation[])[] {
  const steps: (LinkOperation | EntryOperation[])[] = [];
  let entries: EntryOperation[] = [];
  for (const operation of plan) {
    if (!isLinkOperation(operation)) {
      entries.push(operation);
      continue;
    }
    if (entries.length > 0) steps.push(entries);
    entries = [];
    steps.push(operation);
  }
  if (entries.length > 0) steps.push(entries);
  return steps;
}

/** Operations that become requests as they are asked for. */
class EntryBatch {
  /** What became a request, in order. */
  readonly sent: EntryOperation[] = [];
  /** What could not. */
  readonly failures: OperationFailure[] = [];
  readonly #transport: NetlinkTransport;
  readonly #operations: readonly EntryOperation[];
  readonly #missing: ReadonlySet<string>;
  readonly #isCancelled: () => boolean;
  readonly #indexes = new Map<string, number | null>();
  /** Over the overlay's device, so far. */
  #routes = 0;

  constructor(
    transport: NetlinkTransport,
    operations: readonly EntryOperation[],
    missing: ReadonlySet<string>,
    isCancelled: () => boolean = () => false,
  ) {
    this.#transport = transport;
    this.#operations = operations;
    this.#missing = missing;
    this.#isCancelled = isCancelled;
  }

  *requests(): Generator<NetlinkRequest> {
    for (const operation of this.#operations) {
      if (this.#isCancelled()) return;
      const device = deviceOf(operation);
      if (this.#missing.has(device)) continue;
      const index = this.#indexOf(device);
      if (index !== null) {
        this.sent.push(operation);
        yield encodeOperation(operation, index, this.#scopeFor(operation));
      } else if (!isRemoval(operation)) {
        const message = `There is no device ${device}`;
        this.failures.push({ operation, code: "ENODEV", message });
      }
    }
  }

  #scopeFor(operation: EntryOperation): number {
    // IPv6 routes have no scope; on the underlay others look at them more closely.
    if (operation.kind !== "route-add" || !operation.route.onlink) return 0;
    if (operation.route.destination.includes(":")) return 0;
    const nth = this.#routes++;
    return nth < PLAIN_ROUTES ? 0 : 1 + nth % SCOPES;
  }

  #indexOf(device: string): number | null {
    if (device === "") return 0; // an unreachable route
    let index = this.#indexes.get(device);
    if (index === undefined) {
      index = linkGet(this.#transport, device)?.index ?? null;
      this.#indexes.set(device, index);
    }
    return index;
  }
}
