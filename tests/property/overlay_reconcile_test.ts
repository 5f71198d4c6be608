/** Whatever the kernel holds, one plan brings it to what is desired, and what is not ours is still there afterwards. */
import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import type {
  DeviceAddress,
  ForwardingEntry,
  KernelState,
  Neighbour,
  Route,
} from "../../mod/base/kernel_objects.ts";

import { diffState, programmedPeers } from "../../mod/overlay/diff.ts";
import {
  isOwnAddress,
  isOwnElsewhere,
  isOwnForwarding,
  isOwnNeighbour,
  isOwnRoute,
} from "../../mod/overlay/ownership.ts";
import type { OwnBackend } from "../../mod/overlay/path.ts";
import { planCleanup } from "../../mod/overlay/cleanup.ts";
import { ModelKernel, sameRouteKey } from "../support/model_kernel.ts";
import { claim, CONFIG, desire, DEVICE } from "../support/overlay.ts";

/** What an underlay on which all hosts are neighbours makes of the claims. */
const backend = fc.constantFrom<OwnBackend>("vxlan", "vxlan-direct", "host-gw");

/** Small ranges, so that what is there and what is wanted often meet. */
const hostNumber = fc.integer({ min: 1, max: 6 });
const protocol = fc.constantFrom(71, 71, 0, 3);
const mac = hostNumber.map((number) => claim(number).vtep.mac);

const owners = fc.uniqueArray(
  fc.record({ number: hostNumber, at: hostNumber, port: fc.boolean(), takes: backend }),
  {
    maxLength: 6,
    selector: ({ number }) => number,
  },
).map((hosts) =>
  hosts.map(({ number, at, port, takes }) =>
    claim(number, {
      vtep: {
        ...(takes === "vxlan" ? {} : { backend: takes }),
        address: `192.168.100.${at}`,
        port: port ? 8472 : 4789,
        mac: claim(number).vtep.mac,
      },
    })
  )
);

const link = fc.record({
  mtu: fc.constantFrom(1450, 1400),
  mac: fc.constantFrom(CONFIG.mac, "02:00:00:00:00:99"),
  learning: fc.boolean(),
  up: fc.constantFrom(true, true, false),
  local: fc.constantFrom("192.168.100.1", "192.168.100.1", "192.168.100.7"),
}).map((changes) => ({ ...desire([]).link, ...changes } as NonNullable<KernelState["link"]>));

const addresses: fc.Arbitrary<DeviceAddress[]> = fc.uniqueArray(
  fc.record({
    device: fc.constant(DEVICE),
    address: fc.oneof(
      hostNumber.map((number) => `10.244.${number}.0/32`),
      fc.constantFrom("198.51.100.1/24", "fd00::1/128"),
    ),
    protocol,
  }),
  { maxLength: 3, selector: ({ address }) => address },
);

const neighbours: fc.Arbitrary<Neighbour[]> = fc.uniqueArray(
  fc.record({
    device: fc.constant(DEVICE),
    address: hostNumber.map((number) => `10.244.${number}.0`),
    mac,
    protocol,
    permanent: fc.boolean(),
  }),
  { selector: ({ address }) => address },
);

const forwarding: fc.Arbitrary<ForwardingEntry[]> = fc.uniqueArray(
  fc.record({
    device: fc.constant(DEVICE),
    mac: fc.oneof(mac, fc.constant("00:00:00:00:00:00")),
    destination: hostNumber.map((number) => `192.168.100.${number}`),
    port: fc.constantFrom(null, 4789),
    permanent: fc.constantFrom(true, true, false),
  }),
  { selector: (entry) => `${entry.mac} ${entry.destination} ${entry.port}` },
);

const routes: fc.Arbitrary<Route[]> = fc.array(
  fc.record({
    device: fc.constantFrom(DEVICE, DEVICE, "eth0"),
    destination: hostNumber.map((number) => `10.244.${number}.0/24`),
    gateway: fc.oneof(hostNumber.map((number) => `10.244.${number}.0`), fc.constant(null)),
    onlink: fc.boolean(),
    protocol,
    table: fc.constantFrom(254, 254, 100),
    metric: fc.constantFrom(0, 0, 10),
  }),
  { maxLength: 8 },
).map((all) =>
  // One route per destination, table and metric, as `ip route add` leaves them.
  all.filter((route, index) => !all.slice(0, index).some((other) => sameRouteKey(route, other)))
);

/** States that can be: no device, nothing on it; a device that is down has neither routes nor neighbours. */
const actual: fc.Arbitrary<KernelState> = fc.record({
  link: fc.option(link),
  addresses,
  neighbours,
  forwarding,
  routes,
}).map((state) => {
  const isUp = state.link !== null && "up" in state.link && state.link.up;
  return {
    link: state.link,
    addresses: state.link === null ? [] : state.addresses,
    forwarding: state.link === null ? [] : state.forwarding,
    neighbours: isUp ? state.neighbours : [],
    routes: isUp ? state.routes : state.routes.filter(({ device }) => device !== DEVICE),
  };
});

/** What nobody may touch: not ours by any proof, and not where something of ours belongs. */
function foreignParts(state: KernelState, wanted: ReturnType<typeof desire>) {
  const routes = [...wanted.peers.flatMap(({ route }) => route ?? []), ...wanted.unreachable];
  const isAtWanted = (route: Route) => routes.some((other) => sameRouteKey(other, route));
  return {
    addresses: state.addresses.filter((address) => !isOwnAddress(address, CONFIG.networks)),
    neighbours: state.neighbours.filter((neighbour) =>
      !isOwnNeighbour(neighbour) &&
      !wanted.peers.some((peer) => peer.neighbour?.address === neighbour.address)
    ),
    forwarding: state.forwarding.filter((entry) =>
      !isOwnForwarding(entry) && !wanted.peers.some((peer) => peer.entry?.mac === entry.mac)
    ),
    routes: state.routes.filter((route) =>
      route.device === DEVICE
        ? !isOwnRoute(route) && !isAtWanted(route)
        // Of another agent, unless it stands where one of ours belongs.
        : !isOwnElsewhere(route, CONFIG.networks) && (!isOwnRoute(route) || !isAtWanted(route))
    ),
  };
}

Deno.test("one plan settles everything that no stranger stands in the way of", () => {
  fc.assert(
    fc.property(owners, actual, backend, (claims, before, backend) => {
      const wanted = desire(claims, { backend });
      const kernel = new ModelKernel(DEVICE, before);
      const failures = kernel.apply(diffState(wanted, before).operations);
      for (const { operation, code } of failures) {
        // A stranger's route to the same place, or a stranger's address where the gateway should be.
        deepStrictEqual(["route-add", "route-append"].includes(operation.kind), true);
        deepStrictEqual(["EEXIST", "EINVAL"].includes(code), true, code);
      }
      const after = diffState(wanted, kernel.state).operations;
      // What was to be appended to is gone, so that it is added now.
      const again = failures.map(({ operation }) => ({ ...operation, kind: "route-add" }));
      deepStrictEqual(after, again);
      deepStrictEqual(
        programmedPeers(wanted, kernel.state),
        wanted.peers.length - failures.length,
      );
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a plan that keeps the device leaves what is not ours as it was", () => {
  fc.assert(
    fc.property(owners, actual, backend, (claims, before, backend) => {
      const wanted = desire(claims, { backend });
      const { operations } = diffState(wanted, before);
      const isSevere = operations.some((operation) =>
        operation.kind === "link-delete" ||
        (operation.kind === "link-set" && operation.changes.mac !== undefined)
      );
      fc.pre(!isSevere);
      const kernel = new ModelKernel(DEVICE, before);
      kernel.apply(operations);
      const foreign = foreignParts(before, wanted);
      const left = foreignParts(kernel.state, wanted);
      deepStrictEqual(left, foreign);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("cleanup leaves exactly what is not ours", () => {
  fc.assert(
    fc.property(actual, (before) => {
      const kernel = new ModelKernel(DEVICE, before);
      const plan = planCleanup(DEVICE, CONFIG.networks, before);
      deepStrictEqual(kernel.apply(plan.operations), []);
      const foreign = foreignParts(before, desire([]));
      const isKept = plan.problems.length > 0;
      const onDevice = [...foreign.addresses, ...foreign.routes]
        .filter(({ device }) => device === DEVICE);
      deepStrictEqual(isKept, before.link !== null && onDevice.length > 0);
      deepStrictEqual(kernel.state.link, isKept ? before.link : null);
      // Routes of others hang on the device's last address, even when that is ours.
      const hasRoutes = foreign.routes.some(({ device }) => device === DEVICE);
      const addresses = hasRoutes && !foreign.addresses.some(({ address }) =>
          !address.includes(":")
        )
        ? before.addresses
        : foreign.addresses;
      if (isKept) {
        deepStrictEqual({ ...kernel.state, link: null }, { link: null, ...foreign, addresses });
      }
      const again = planCleanup(DEVICE, CONFIG.networks, kernel.state);
      deepStrictEqual(again.operations, []);
    }),
    { numRuns: 1000 },
  );
});
