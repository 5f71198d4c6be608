/**
 * The keeper against a kernel that refuses, loses, tears and confuses at random while claims and kernel change: once it is
 * left in peace it holds exactly what is wanted, and what is not ours is as it was.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ERRNO } from "../../ffi/errno.ts";
import { type FaultRates, FaultyDatagrams, NO_FAULTS } from "../../ffi/fake/faulty_datagrams.ts";
import { FakeKernel } from "../../ffi/fake_kernel.ts";
import { NetlinkConversation } from "../../ffi/netlink/conversation.ts";
import { RenewingTransport } from "../../ffi/netlink/renewing_transport.ts";
import { addressAdd } from "../../ffi/route/address.ts";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { linkDelete, linkGet } from "../../ffi/route/link.ts";
import { routeAdd, routeDump } from "../../ffi/route/route.ts";
import { OverlayKeeper } from "../../mod/agent/overlay_keeper.ts";
import { Log } from "../../mod/base/log.ts";
import { HostKernel } from "../../mod/host/kernel.ts";
import { diffState } from "../../mod/overlay/diff.ts";
import { claims, CONFIG, desire, DEVICE, OWN } from "../support/overlay.ts";
import { randomFrom } from "../unit/ffi/scripted_datagrams.ts";

const { underlay } = CONFIG;
const ERRNOS = [
  ERRNO.EEXIST,
  ERRNO.ENOENT,
  ERRNO.ESRCH,
  ERRNO.ENODEV,
  ERRNO.EBUSY,
  ERRNO.ENOMEM,
  ERRNO.EPERM,
  ERRNO.EINVAL,
  ERRNO.EOPNOTSUPP,
];
const STRANGER = "198.51.100.0/24";

class Scene {
  readonly fake = new FakeKernel();
  readonly kernel: HostKernel;
  readonly keeper: OverlayKeeper;
  rates: FaultRates = NO_FAULTS;
  others = claims(2, 3);
  nowMs = 0;

  constructor(seed: number) {
    const below = randomFrom(seed);
    const random = () => below(1_000_000) / 1_000_000;
    const { index } = bridgeAdd(this.fake, { name: underlay.device, up: true });
    assert.equal(index, underlay.index);
    addressAdd(this.fake, { index, address: underlay.address, prefixLength: 24 });
    routeAdd(this.fake, { destination: STRANGER, gateway: "192.168.100.9", index });
    const open = () =>
      new NetlinkConversation(new FaultyDatagrams(this.fake, () => this.rates, random));
    this.kernel = new HostKernel(new RenewingTransport(open));
    this.keeper = new OverlayKeeper(CONFIG, {
      kernel: this.kernel,
      log: new Log({ level: "error", format: "text", write: () => {}, now: () => "" }),
      atOnceMax: 300,
      nowMs: () => this.nowMs,
      wish: () => ({
        want: "up",
        own: OWN,
        owners: [OWN, ...this.others],
        records: [OWN, ...this.others],
        networks: CONFIG.networks,
        silent: new Set(),
        settled: true,
      }),
      up: () => true,
      down: () => {},
    });
  }

  /** As the timer does it, long plans to their end. */
  async reconcile(): Promise<void> {
    this.nowMs += 60_000;
    this.keeper.reconcileSoon();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Takes the device away, or every third object on it. */
  drift(what: number): void {
    const link = linkGet(this.fake, DEVICE);
    if (link === null) return;
    if (what % 4 === 0) return linkDelete(this.fake, link.index);
    const { routes, neighbours, forwarding } = new HostKernel(this.fake).dump(DEVICE);
    const some = <T>(all: readonly T[]) => all.filter((_, index) => (index + what) % 3 === 0);
    new HostKernel(this.fake).apply([
      ...some(routes).map((route) => ({ kind: "route-delete", route }) as const),
      ...some(neighbours).map((neighbour) => ({ kind: "neighbour-delete", neighbour }) as const),
      ...some(forwarding).map((entry) => ({ kind: "forwarding-delete", entry }) as const),
    ]);
  }

  /** What is still to be done, by a look that nothing disturbs. */
  left() {
    return diffState(desire(this.others), new HostKernel(this.fake).dump(DEVICE)).operations;
  }
}

const rate = fc.constantFrom(0, 0, 0.02, 0.2);
const rates: fc.Arbitrary<FaultRates> = fc.record({
  refuse: rate,
  errnos: fc.constant(ERRNOS),
  overrun: rate,
  reorder: rate,
  repeat: rate,
  tear: rate,
  breakSocket: fc.constantFrom(0, 0, 0.02),
  garble: fc.constantFrom(0, 0, 0.02),
});
/** Above 100 peers plans are long enough for the other thread. */
const peers = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.integer({ min: 100, max: 220 }),
);
const step = fc.record({
  peers,
  drift: fc.option(fc.integer({ min: 0, max: 11 })),
  rates,
});

Deno.test("whatever the kernel does, left in peace it holds what is wanted after two looks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.array(step, { minLength: 1, maxLength: 6 }),
      async (seed, steps) => {
        const scene = new Scene(seed);
        try {
          for (const { peers, drift, rates } of steps) {
            scene.others = claims(...Array.from({ length: peers }, (_, index) => index + 2));
            scene.rates = rates;
            if (drift !== null) scene.drift(drift);
            await scene.reconcile();
            await scene.reconcile();
          }
          scene.rates = NO_FAULTS;
          await scene.reconcile();
          await scene.reconcile();
          assert.deepEqual(scene.left(), []);
          const { inSync, peersProgrammed, lastError } = scene.keeper.status();
          assert.deepEqual([inSync, peersProgrammed, lastError], [
            true,
            scene.others.length,
            null,
          ]);
          const strangers = routeDump(scene.fake, { index: underlay.index })
            .filter(({ destination }) => destination === STRANGER);
          assert.equal(strangers.length, 1);
        } finally {
          scene.keeper.stop();
        }
      },
    ),
    { numRuns: 60 },
  );
});
