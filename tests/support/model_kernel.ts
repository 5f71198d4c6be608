/**
 * A tiny kernel in memory: applies operations to a KernelState as Linux does, side effects included. Devices that go down
 * lose routes and neighbours, a new MAC loses neighbours, a deleted device loses everything.
 */
import {
  isVxlanLink,
  type Kernel,
  type KernelState,
  type Operation,
  type OperationFailure,
  type Route,
} from "../../mod/base/kernel_objects.ts";
import { unreachable } from "../../mod/base/assert.ts";

export const EMPTY_STATE: KernelState = {
  link: null,
  addresses: [],
  neighbours: [],
  forwarding: [],
  routes: [],
};

function refusal(operation: Operation, code: string, message: string): OperationFailure {
  return { operation, code, message };
}

export function sameRouteKey(one: Route, other: Route): boolean {
  return one.destination === other.destination && one.table === other.table &&
    one.metric === other.metric;
}

export class ModelKernel implements Kernel {
  state: KernelState;
  readonly device: string;

  constructor(device: string, state: KernelState = EMPTY_STATE) {
    this.device = device;
    this.state = state;
  }

  dump(): KernelState {
    return this.state;
  }

  watch(): () => void {
    return () => {};
  }

  async applyLater(plan: readonly Operation[]): Promise<OperationFailure[]> {
    await Promise.resolve();
    return this.apply(plan);
  }

  apply(plan: readonly Operation[]): OperationFailure[] {
    return plan.map((operation) => this.#apply(operation)).filter((failure) => failure !== null);
  }

  #apply(operation: Operation): OperationFailure | null {
    const { state } = this;
    const isElsewhere = "route" in operation && operation.route.device !== this.device;
    const needsDevice = !operation.kind.startsWith("link") &&
      !operation.kind.endsWith("delete") && !isElsewhere;
    if (needsDevice && state.link === null) return refusal(operation, "ENODEV", "No such device");
    switch (operation.kind) {
      case "link-add":
        if (state.link !== null) return refusal(operation, "EEXIST", "File exists");
        this.state = { ...state, link: operation.link };
        return null;
      case "link-set": {
        const { link } = state;
        if (link === null || !isVxlanLink(link)) {
          return refusal(operation, "ENODEV", "No such device");
        }
        const { changes } = operation;
        if (changes.mac !== undefined) this.state = { ...this.state, neighbours: [] };
        if (link.up && changes.up === false) this.#flush();
        this.state = { ...this.state, link: { ...link, ...changes } };
        return null;
      }
      case "link-move": {
        const { link } = state;
        if (link === null || !isVxlanLink(link)) {
          return refusal(operation, "ENODEV", "No such device");
        }
        this.state = { ...state, link: { ...link, ...operation.move } };
        return null;
      }
      case "link-delete":
        this.#flush();
        this.state = { ...this.state, link: null, addresses: [], forwarding: [] };
        return null;
      case "address-add": {
        const isThere = state.addresses.some(({ address }) =>
          address === operation.address.address
        );
        if (!isThere) {
          this.state = { ...state, addresses: [...state.addresses, operation.address] };
        }
        return null;
      }
      case "address-delete": {
        const addresses = state.addresses
          .filter(({ address }) => address !== operation.address.address);
        // With the last IPv4 address of a device the kernel takes its routes.
        const routes = addresses.some(({ address }) => !address.includes(":"))
          ? state.routes
          : state.routes.filter(({ device }) => device !== operation.address.device);
        this.state = { ...state, addresses, routes };
        return null;
      }
      case "neighbour-replace": {
        const { neighbour } = operation;
        const others = state.neighbours.filter(({ address }) => address !== neighbour.address);
        this.state = { ...state, neighbours: [...others, neighbour] };
        return null;
      }
      case "neighbour-delete": {
        const { address } = operation.neighbour;
        this.state = {
          ...state,
          neighbours: state.neighbours.filter((neighbour) => neighbour.address !== address),
        };
        return null;
      }
      case "forwarding-replace": {
        // Linux replaces the first remote of the MAC and leaves further ones.
        const { entry } = operation;
        const first = state.forwarding.findIndex(({ mac }) => mac === entry.mac);
        const others = state.forwarding.filter((_, index) => index !== first);
        this.state = { ...state, forwarding: [...others, entry] };
        return null;
      }
      case "forwarding-delete": {
        const { mac, destination, port } = operation.entry;
        this.state = {
          ...state,
          forwarding: state.forwarding.filter((entry) =>
            entry.mac !== mac || entry.destination !== destination || entry.port !== port
          ),
        };
        return null;
      }
      case "route-add":
      case "route-append": {
        const { route } = operation;
        const { link } = state;
        if (!isElsewhere && link !== null && isVxlanLink(link) && !link.up) {
          return refusal(operation, "ENETDOWN", "Network is down");
        }
        if (state.addresses.some(({ address }) => address === `${route.gateway}/32`)) {
          return refusal(operation, "EINVAL", "Nexthop has invalid gateway");
        }
        const isTaken = state.routes.some((other) => sameRouteKey(route, other));
        if (isTaken && operation.kind === "route-add") {
          return refusal(operation, "EEXIST", "File exists");
        }
        this.state = { ...state, routes: [...state.routes, route] };
        return null;
      }
      case "route-delete": {
        const { route } = operation;
        const first = state.routes.findIndex((other) =>
          sameRouteKey(route, other) && route.device === other.device &&
          route.gateway === other.gateway && route.protocol === other.protocol
        );
        this.state = { ...state, routes: state.routes.filter((_, index) => index !== first) };
        return null;
      }
      default:
        return unreachable(operation);
    }
  }

  /** What goes when the device goes down. */
  #flush(): void {
    this.state = {
      ...this.state,
      neighbours: [],
      routes: this.state.routes.filter(({ device }) => device !== this.device),
    };
  }
}
