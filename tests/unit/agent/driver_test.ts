/** The driver against a scripted core: order of inputs, re-entrance, wake-ups, refusing disks. */
import assert from "node:assert/strict";
import type { Action, Core, Input } from "../../../mod/base/core.ts";
import { Driver, type DriverPorts } from "../../../mod/agent/driver.ts";

type Script = (input: Input<string>) => Action<string>[];

/** A core that answers each input by a script and keeps what it saw. */
class ScriptedCore implements Core<string, string, string[]> {
  readonly seen: string[] = [];
  wakeAt = Infinity;
  #inStep = false;
  constructor(readonly script: Script) {}

  step(_nowMs: number, input: Input<string>): Action<string>[] {
    assert.equal(this.#inStep, false, "the core was re-entered");
    this.#inStep = true;
    this.seen.push(
      input.kind === "persisted" ? `persisted ${input.id} ${input.error ?? "well"}` : input.kind,
    );
    try {
      return this.script(input);
    } finally {
      this.#inStep = false;
    }
  }
  wakeAtMs(): number {
    return this.wakeAt;
  }
  snapshot(): string[] {
    return this.seen;
  }
}

function ports(over: Partial<DriverPorts<string>> = {}): DriverPorts<string> {
  return {
    nowMs: () => 0,
    send() {},
    request() {},
    answer() {},
    resolve: () => [],
    persist() {},
    event() {},
    fault: (_input, error) => {
      throw error;
    },
    settled() {},
    ...over,
  };
}

const persistAction = (id: number): Action<string> => ({
  kind: "persist",
  id,
  document: "claim",
  bytes: new Uint8Array(1),
});

Deno.test("Driver performs actions in order and feeds their outcome afterwards", () => {
  const done: string[] = [];
  const core = new ScriptedCore((input) =>
    input.kind === "command"
      ? [{ kind: "event", event: "first" }, persistAction(7), { kind: "event", event: "second" }]
      : input.kind === "persisted"
      ? [{ kind: "event", event: "announced" }]
      : []
  );
  const driver = new Driver(
    core,
    ports({
      event: (event) => void done.push(event),
      persist: () => void done.push("disk"),
      settled: () => void done.push("settled"),
    }),
  );
  driver.feed({ kind: "command", command: "go" });
  assert.deepEqual(done, ["first", "disk", "second", "announced", "settled"]);
  assert.deepEqual(core.seen, ["command", "persisted 7 well"]);
  driver.stop();
});

Deno.test("Driver tells the core in the disk's own words when a document was refused", () => {
  const core = new ScriptedCore((input) => input.kind === "command" ? [persistAction(1)] : []);
  const driver = new Driver(
    core,
    ports({
      persist() {
        throw new Error("No space left on device");
      },
    }),
  );
  driver.feed({ kind: "command", command: "go" });
  assert.deepEqual(core.seen, ["command", "persisted 1 No space left on device"]);
  driver.stop();
});

Deno.test("Driver hands over a name that cannot be resolved as no endpoints and a reason", async () => {
  const { promise, resolve } = Promise.withResolvers<Input<string>>();
  const core = new ScriptedCore((input) => {
    if (input.kind === "command") return [{ kind: "resolve", seed: "nowhere" }];
    if (input.kind === "resolved") resolve(input);
    return [];
  });
  const driver = new Driver(
    core,
    ports({ resolve: () => Promise.reject(new Error("no such name")) }),
  );
  driver.feed({ kind: "command", command: "go" });
  assert.deepEqual(await promise, {
    kind: "resolved",
    seed: "nowhere",
    endpoints: [],
    reason: "no such name",
  });
  driver.stop();
});

Deno.test("Driver wakes the core when the core asked for it, and not after stop", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const core: ScriptedCore = new ScriptedCore((input) => {
    if (input.kind === "wake") {
      core.wakeAt = Infinity;
      resolve();
    } else core.wakeAt = performance.now() + 1;
    return [];
  });
  const driver = new Driver(core, ports({ nowMs: () => performance.now() }));
  driver.feed({ kind: "command", command: "go" });
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve("a second late"), 1_000);
  assert.equal(await Promise.race([promise, late.promise]), undefined);
  clearTimeout(timer);
  assert.deepEqual(core.seen, ["command", "wake"]);
  core.wakeAt = performance.now();
  driver.stop();
  driver.feed({ kind: "command", command: "ignored" });
  assert.deepEqual(core.seen, ["command", "wake"]);
});

Deno.test("Driver is not woken in vain when the core no longer wants to be woken soon", async () => {
  const woken = Promise.withResolvers<void>();
  const looksMs: number[] = [];
  const nowMs = () => {
    looksMs.push(performance.now());
    return performance.now();
  };
  const core: ScriptedCore = new ScriptedCore((input) => {
    const now = performance.now();
    if (input.kind === "command") core.wakeAt = now + 5; // a probe's deadline
    if (input.kind === "packet") core.wakeAt = now + 120; // its ack
    if (input.kind === "wake") {
      core.wakeAt = Infinity;
      woken.resolve();
    }
    return [];
  });
  const driver = new Driver(core, ports({ nowMs }));
  driver.feed({ kind: "command", command: "go" });
  driver.feed({ kind: "packet", from: "192.0.2.1:7947", bytes: new Uint8Array(1) });
  const fedMs = performance.now();
  await woken.promise;
  // Whoever is woken looks at the clock; it may happen a moment before the time.
  assert.deepEqual(looksMs.filter((atMs) => atMs > fedMs && atMs < fedMs + 100), []);
  driver.stop();
});

Deno.test("Driver drops what arrived and trips the core, says so, and goes on", () => {
  const core = new ScriptedCore((input) => {
    if (input.kind === "packet") throw new Error("invariant broken");
    return [];
  });
  const faults: string[] = [];
  const driver = new Driver(
    core,
    ports({ fault: (input, error) => void faults.push(`${input}: ${error}`) }),
  );
  driver.feed({ kind: "packet", from: "192.0.2.1:7947", bytes: new Uint8Array(1) });
  driver.feed({ kind: "command", command: "go" });
  assert.deepEqual(faults, ["packet: Error: invariant broken"]);
  assert.deepEqual(core.seen, ["packet", "command"]);
  driver.stop();
});

Deno.test("Driver lets an assertion over an input of our own through", () => {
  const core = new ScriptedCore(() => {
    throw new Error("invariant broken");
  });
  const driver = new Driver(core, ports({ fault() {} }));
  assert.throws(() => driver.feed({ kind: "wake" }), /invariant broken/);
  driver.stop();
});
