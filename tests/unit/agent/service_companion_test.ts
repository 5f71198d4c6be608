/** What the service manager is told, and when. */
import { deepEqual, equal, match } from "node:assert/strict";
import { ServiceCompanion, serviceStatus } from "../../../mod/agent/service_companion.ts";
import type { Problem } from "../../../mod/base/problem.ts";
import { Log } from "../../../mod/base/log.ts";
import { serviceManager } from "../../../mod/host/service_manager.ts";
import { stagedSources } from "../../support/claim_sources.ts";

class Stage {
  nowMs = 0;
  told: string[][] = [];
  refusal: string | null = null;
  problems: Problem[] = [];
  readonly logged: string[] = [];
  readonly sources = stagedSources();
  overlay = { ...this.sources.overlay, subnetFileWritten: false };
  #timer: { atMs: number; callback: () => void } | null = null;
  readonly companion: ServiceCompanion;

  constructor(watchdogMs: number | null) {
    this.companion = new ServiceCompanion(this.inside, {
      watchdogMs,
      tell: (lines) => {
        if (this.refusal !== null) throw new Error(this.refusal);
        this.told.push([...lines]);
      },
      nowUsec: () => 1234n,
    }, {
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        this.#timer = { atMs: this.nowMs + delayMs, callback };
        return () => this.#timer = null;
      },
    });
  }

  get inside() {
    const write = (line: string) => void this.logged.push(line);
    return {
      snapshot: () => this.sources.snapshot,
      overlay: () => this.overlay,
      problems: () => this.problems,
      log: new Log({ level: "info", format: "text", write, now: () => "" }),
    };
  }

  runFor(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.#timer !== null && this.#timer.atMs <= endMs) {
      const { atMs, callback } = this.#timer;
      this.nowMs = atMs;
      callback();
    }
    this.nowMs = endMs;
  }

  become(isReady: boolean): void {
    this.overlay = { ...this.overlay, subnetFileWritten: isReady };
    this.companion.settled();
  }
}

Deno.test("a start that takes long is given more time until the subnet file is written, at once", () => {
  const stage = new Stage(null);
  stage.runFor(4_000);
  deepEqual(stage.told.map(([first]) => first), Array(3).fill("EXTEND_TIMEOUT_USEC=30000000"));
  match(
    stage.told[0]?.[1] ?? "",
    /^STATUS=the subnet file is not written; \d+ of \d+ hosts alive$/,
  );
  stage.told = [];
  stage.become(true);
  equal(stage.told[0]?.[0], "READY=1");
  match(
    stage.told[0]?.[1] ?? "",
    /^STATUS=10\.244\.\d+\.0\/24 held; \d+ of \d+ hosts alive; 1 peers programmed$/,
  );
  stage.told = [];
  stage.runFor(60_000);
  stage.become(false);
  stage.runFor(2_000);
  deepEqual(stage.told.map((lines) => lines.length), [1]); // another status, and ready is said once
});

Deno.test("the watchdog hears twice as often as it asks for", () => {
  const stage = new Stage(3_000);
  stage.become(true);
  stage.told = [];
  stage.runFor(15_000);
  deepEqual(stage.told, Array(10).fill(["WATCHDOG=1"]));
});

Deno.test("the status is one line, told when it changes", () => {
  const stage = new Stage(null);
  stage.become(true);
  stage.told = [];
  stage.problems = [{ code: "a", severity: "warning", text: "b", remedy: "c" }];
  match(serviceStatus(stage.inside), /; 1 problem$/);
  stage.runFor(10_000);
  equal(stage.told.length, 1);
});

Deno.test("the end is told, and nothing after it", () => {
  const stage = new Stage(1_000);
  stage.companion.close();
  equal(stage.told.at(-1)?.[0], "STOPPING=1");
  stage.told = [];
  stage.runFor(10_000);
  deepEqual(stage.told, []);
});

Deno.test("a manager that does not listen is named once, and told again", () => {
  const stage = new Stage(1_000);
  stage.refusal = "nobody";
  stage.runFor(5_000);
  equal(stage.logged.length, 1);
  stage.refusal = null;
  stage.told = [];
  stage.runFor(1_000);
  equal(stage.told.length, 2);
});

Deno.test("the watchdog may be another process's, and the socket none of ours", () => {
  const of = (variables: Record<string, string>) => serviceManager((name) => variables[name], 7);
  equal(of({}), null);
  equal(of({ NOTIFY_SOCKET: "vsock:2:1" }), null);
  const NOTIFY_SOCKET = "/run/systemd/notify";
  equal(of({ NOTIFY_SOCKET })?.watchdogMs, null);
  equal(of({ NOTIFY_SOCKET, WATCHDOG_USEC: "3000000" })?.watchdogMs, 3_000);
  equal(of({ NOTIFY_SOCKET, WATCHDOG_USEC: "3000000", WATCHDOG_PID: "7" })?.watchdogMs, 3_000);
  equal(of({ NOTIFY_SOCKET, WATCHDOG_USEC: "3000000", WATCHDOG_PID: "8" })?.watchdogMs, null);
  equal(of({ NOTIFY_SOCKET, WATCHDOG_USEC: "soon" })?.watchdogMs, null);
});

Deno.test("a reload is told, and its end, but not by one that starts", () => {
  const stage = new Stage(null);
  stage.told = [];
  stage.companion.reloading();
  stage.companion.reloaded();
  deepEqual(stage.told, []);
  stage.become(true);
  stage.told = [];
  stage.companion.reloading();
  stage.companion.reloaded();
  deepEqual(stage.told, [["RELOADING=1", "MONOTONIC_USEC=1234"], ["READY=1"]]);
});
