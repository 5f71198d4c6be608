/** Cleaning up on a kernel in memory: what is ours goes, what is not stays, a dry run touches nothing. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { cleanUp, type CleanupKernel } from "../../../mod/agent/cleanup.ts";
import { ExitCode, UserError } from "../../../mod/base/errors.ts";
import type { KernelState, Operation, OperationFailure } from "../../../mod/base/kernel_objects.ts";
import { EMPTY_STATE, ModelKernel } from "../../support/model_kernel.ts";
import { claims, desire, DEVICE, deviceNames, programmed } from "../../support/overlay.ts";

class FakeKernel implements CleanupKernel {
  readonly model: ModelKernel;
  readonly #refuse: ((operation: Operation) => string | undefined) | undefined;

  constructor(state: KernelState, refuse?: (operation: Operation) => string | undefined) {
    this.model = new ModelKernel(DEVICE, state);
    this.#refuse = refuse;
  }

  dump(device: string): KernelState {
    return device === DEVICE ? this.model.dump() : EMPTY_STATE;
  }

  apply(plan: readonly Operation[]): OperationFailure[] {
    return plan.flatMap((operation): OperationFailure[] => {
      const code = this.#refuse?.(operation);
      if (code !== undefined) return [{ operation, code, message: `${code} said the kernel` }];
      return this.model.apply([operation]);
    });
  }

  ownDevices(): string[] {
    return this.model.state.link === null ? ["flannel.7"] : [DEVICE, "flannel.7"];
  }

  deviceName(index: number): string {
    return deviceNames(index);
  }
}

const OPTIONS = { vni: 1, networks: ["10.244.0.0/16"], dryRun: false };
const FULL = programmed(desire(claims(1, 2, 3)));

Deno.test("cleaning up leaves nothing of an overlay, and names other devices of ours", () => {
  const kernel = new FakeKernel(FULL);
  const report = cleanUp(OPTIONS, kernel);
  deepEqual(kernel.model.state, EMPTY_STATE);
  ok(report.operations >= 8, "device, address, and three entries for each of two peers");
  deepEqual(report.problems, []);
  deepEqual(report.otherDevices, ["flannel.7"]);
  equal(cleanUp(OPTIONS, kernel).operations, 0, "the second time there is nothing to do");
});

Deno.test("a dry run gives the plan as commands and touches nothing", () => {
  const kernel = new FakeKernel(FULL);
  const report = cleanUp({ ...OPTIONS, dryRun: true }, kernel);
  deepEqual(kernel.model.state, FULL);
  match(report.commands, /^(ip|bridge) .*\n/);
  match(report.commands, /^ip link delete flannel\.1$/m);
});

Deno.test("a device that carries somebody else's route is kept, and a problem says so", () => {
  const route = FULL.routes.find(({ device }) => device === DEVICE);
  ok(route !== undefined);
  const foreign = { ...route, destination: "172.16.0.0/24", protocol: 4 };
  const kernel = new FakeKernel({ ...FULL, routes: [...FULL.routes, foreign] });
  const report = cleanUp(OPTIONS, kernel);
  ok(kernel.model.state.link !== null);
  ok(kernel.model.state.routes.every(({ protocol }) => protocol === 4));
  deepEqual(report.problems.map(({ code }) => code), ["device-kept"]);
});

Deno.test("what the kernel refuses is said with the command and the kernel's words", () => {
  const refuse = (code: string) => (operation: Operation) =>
    operation.kind === "link-delete" ? code : undefined;
  const exitCodeFor = (code: string) => {
    let exitCode: ExitCode | undefined;
    throws(() => cleanUp(OPTIONS, new FakeKernel(FULL, refuse(code))), (error) => {
      ok(error instanceof UserError);
      match(error.message, /^the kernel refused 1 of \d+ removals: ip link delete flannel\.1: /);
      exitCode = error.exitCode;
      return true;
    });
    return exitCode;
  };
  equal(exitCodeFor("EBUSY"), ExitCode.failed);
  equal(exitCodeFor("EPERM"), ExitCode.privilege);
});
