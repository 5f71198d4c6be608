/** What cleanup removes, and what it leaves. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { KernelState, Route } from "../../../mod/base/kernel_objects.ts";
import { planCleanup } from "../../../mod/overlay/cleanup.ts";
import { EMPTY_STATE, ModelKernel } from "../../support/model_kernel.ts";
import { claims, CONFIG, desire, DEVICE, programmed } from "../../support/overlay.ts";

const DESIRED = desire(claims(1, 2, 3));
const STEADY = programmed(DESIRED);
const FOREIGN_ROUTE: Route = {
  device: DEVICE,
  destination: "172.20.0.0/16",
  gateway: null,
  onlink: false,
  protocol: 3,
  table: 254,
  metric: 0,
};

function clean(state: KernelState) {
  const plan = planCleanup(DEVICE, CONFIG.networks, state);
  const kernel = new ModelKernel(DEVICE, state);
  deepStrictEqual(kernel.apply(plan.operations), []);
  return { left: kernel.state, problems: plan.problems };
}

Deno.test("cleanup leaves nothing of ours", () => {
  deepStrictEqual(clean(STEADY), { left: EMPTY_STATE, problems: [] });
});

Deno.test("cleanup of nothing is nothing", () => {
  deepStrictEqual(planCleanup(DEVICE, CONFIG.networks, EMPTY_STATE).operations, []);
});

Deno.test("a foreign route keeps the device and the address it hangs on, and is named", () => {
  const { left, problems } = clean({ ...STEADY, routes: [...STEADY.routes, FOREIGN_ROUTE] });
  const { link, addresses } = STEADY;
  deepStrictEqual(left, { ...EMPTY_STATE, link, addresses, routes: [FOREIGN_ROUTE] });
  strictEqual(problems[0]?.code, "device-kept");
  match(problems[0].text, /172\.20\.0\.0\/16/);
});

Deno.test("a foreign address keeps the device and is named", () => {
  const address = { device: DEVICE, address: "198.51.100.1/24", protocol: 0 };
  const { left, problems } = clean({ ...STEADY, addresses: [...STEADY.addresses, address] });
  deepStrictEqual(left, { ...EMPTY_STATE, link: STEADY.link, addresses: [address] });
  match(problems[0]?.text ?? "", /198\.51\.100\.1\/24/);
});

Deno.test("where the kernel keeps no mark, addresses of every network of the pool are ours", () => {
  const addresses = ["10.244.1.0/32", "10.245.7.0/32"].map((address) => (
    { device: DEVICE, address, protocol: 0 }
  ));
  const state = { ...STEADY, addresses };
  const kept = planCleanup(DEVICE, CONFIG.networks, state);
  strictEqual(kept.problems[0]?.code, "device-kept");
  match(kept.problems[0].text, /10\.245\.7\.0\/32/);
  const { operations, problems } = planCleanup(DEVICE, ["10.244.0.0/16", "10.245.0.0/16"], state);
  deepStrictEqual(problems, []);
  deepStrictEqual(operations.at(-1), { kind: "link-delete", name: DEVICE });
});

Deno.test("beside a foreign address our own goes, whatever routes there are", () => {
  const address = { device: DEVICE, address: "198.51.100.1/24", protocol: 0 };
  const addresses = [...STEADY.addresses, address];
  const { left } = clean({ ...STEADY, addresses, routes: [...STEADY.routes, FOREIGN_ROUTE] });
  const { link } = STEADY;
  deepStrictEqual(left, { ...EMPTY_STATE, link, addresses: [address], routes: [FOREIGN_ROUTE] });
});

Deno.test("of a device that is not ours only what bears our mark is removed", () => {
  const link = { name: DEVICE, kind: "dummy", alias: "" };
  const foreign = { ...FOREIGN_ROUTE };
  const { left } = clean({ ...STEADY, link, routes: [...STEADY.routes, foreign] });
  deepStrictEqual(left, { ...STEADY, link, routes: [foreign], neighbours: [] });
});

Deno.test("routes of ours on other devices are left to their own agent", () => {
  const other = { ...FOREIGN_ROUTE, device: "flannel.2", protocol: 71 };
  const { left } = clean({ ...STEADY, routes: [...STEADY.routes, other] });
  deepStrictEqual(left, { ...EMPTY_STATE, routes: [other] });
});
