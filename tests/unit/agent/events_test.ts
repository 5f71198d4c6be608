/** The agent's events: what is told, to whom, and that nobody who listens holds the agent up. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { EVENT_NAMES, type EventDocument } from "../../../mod/agent/api.ts";
import { eventBody } from "../../../mod/agent/event_bodies.ts";
import { EventFeed } from "../../../mod/agent/event_feed.ts";
import {
  EventHook,
  HOOK_WAITING_MAX,
  type HookEnd,
  openEventHook,
  runHook,
} from "../../../mod/agent/event_hook.ts";
import { eventStream } from "../../../mod/agent/event_stream.ts";
import { EventWatch } from "../../../mod/agent/event_watch.ts";
import type { Inside, Occasion } from "../../../mod/agent/companions.ts";
import { Log } from "../../../mod/base/log.ts";
import type { Problem } from "../../../mod/base/problem.ts";
import type { HostEvent } from "../../../mod/claim/host_core.ts";
import { memberNumber, stagedSources } from "../../support/claim_sources.ts";

const TIME = "2026-01-02T03:04:05.000Z";
const SELF = memberNumber(1);
const PEER = memberNumber(2);

function feed(): EventFeed {
  return new EventFeed("h1", () => TIME);
}

function logTo(lines: string[]): Log {
  const write = (line: string) => void lines.push(line);
  return new Log({ level: "info", format: "text", write, now: () => TIME });
}

/** Lets everything that is due without a timer happen. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("events of members name them; this host's own and inner ones are not told", () => {
  const told = (event: HostEvent) => eventBody(event, SELF.id, (id) => id.slice(0, 4));
  const failed = told({ kind: "member-failed", member: { ...PEER, status: "dead" } });
  deepEqual(failed, {
    event: "member-failed",
    severity: "error",
    text: "h2 failed; its subnet stays its own",
    member: { id: PEER.id, name: "h2", address: "192.168.100.2:7947", status: "dead" },
  });
  equal(told({ kind: "member-joined", member: SELF }), null);
  equal(told({ kind: "owners-changed" }), null);
  const previous = { ...PEER, name: "old", endpoint: "10.0.0.1:7947" };
  const changed = told({ kind: "member-updated", member: PEER, previous });
  deepEqual([changed?.event, changed?.before], ["member-changed", {
    name: "old",
    address: "10.0.0.1:7947",
  }]);
  const renumbered = told({ kind: "renumbered", old: "10.244.1.0/24", new: "10.244.2.0/24" });
  equal(renumbered?.severity, "error");
  for (const body of [failed, changed, renumbered]) ok(body && EVENT_NAMES.includes(body.event));
});

Deno.test("the last 500 events are kept, numbered and counted", () => {
  const events = feed();
  for (let count = 0; count < 1_234; count++) {
    events.add({ event: "ready", severity: "info", text: `${count}` });
  }
  const recent = events.recent();
  deepEqual([recent.length, recent[0]?.sequence, recent.at(-1)?.sequence], [500, 735, 1234]);
  deepEqual([...events.counts()], [["ready", 1234]]);
  deepEqual(recent.at(-1), {
    schema: 1,
    sequence: 1234,
    time: TIME,
    host: "h1",
    event: "ready",
    severity: "info",
    text: "1233",
  });
});

Deno.test("a listener that throws is heard of no more, and harms nobody", () => {
  const events = feed();
  const heard: string[] = [];
  const fail = () => {
    throw new Error("no");
  };
  events.listen({ event: fail, ended: fail });
  events.listen({ event: ({ text }) => void heard.push(text), ended() {} });
  events.add({ event: "ready", severity: "info", text: "one" });
  events.add({ event: "ready", severity: "info", text: "two" });
  deepEqual([heard, events.listeners], [["one", "two"], 1]);
});

Deno.test("a stream tells recent events and new ones, and ends with the feed", async () => {
  const events = feed();
  events.add({ event: "ready", severity: "info", text: "before" });
  const stream = eventStream(events, true);
  events.add({ event: "left", severity: "info", text: "after" });
  events.close();
  events.add({ event: "left", severity: "info", text: "too late" });
  const lines = (await new Response(stream).text()).split("\n").filter((line) => line !== "");
  deepEqual(lines.map((line) => JSON.parse(line).text), ["before", "after"]);
  equal(await new Response(eventStream(events, false)).text(), "\n");
});

Deno.test("a reader that does not read loses events, is told how many, and is let go of", async () => {
  const events = feed();
  const stream = eventStream(events, false);
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let count = 0; count < 3_000; count++) {
    events.add({ event: "ready", severity: "info", text: `${count}` });
  }
  let read = 0;
  while (read < 500) read += (await reader.read()).value?.trim() ? 1 : 0;
  events.add({ event: "left", severity: "info", text: "last" });
  let rest = "";
  while (!rest.includes('"last"')) rest += (await reader.read()).value ?? "";
  const last = rest.trim().split("\n").slice(-2).map((line) => JSON.parse(line));
  equal(last[0].event, "events-dropped");
  ok(last[0].count > 1_500, String(last[0].count));
  equal(last[1].text, "last");
  equal(events.listeners, 1);
  await reader.cancel();
  equal(events.listeners, 0);
});

interface Run {
  readonly input: string;
  readonly end: AbortSignal;
  readonly done: PromiseWithResolvers<HookEnd>;
}

function hookWith(lines: string[] = []) {
  const runs: Run[] = [];
  let nowMs = 0;
  const hook = new EventHook({
    command: "cmd",
    log: logTo(lines),
    nowMs: () => nowMs,
    run(_command, input, end) {
      const done = Promise.withResolvers<HookEnd>();
      runs.push({ input, end, done });
      return done.promise;
    },
  });
  return { hook, runs, pass: (ms: number) => void (nowMs += ms) };
}

const WELL: HookEnd = { code: 0, said: "", timedOut: false };

function event(sequence: number, text = "x"): EventDocument {
  return { schema: 1, sequence, time: TIME, host: "h1", event: "ready", severity: "info", text };
}

Deno.test("the event command runs once at a time and is given one line of JSON", async () => {
  const { hook, runs } = hookWith();
  hook.take(event(1, 'a"; rm -rf / #\n$(id)'));
  hook.take(event(2));
  equal(runs.length, 1);
  equal(runs[0]?.input.split("\n").length, 2);
  deepEqual(JSON.parse(runs[0]?.input ?? ""), event(1, 'a"; rm -rf / #\n$(id)'));
  runs[0]?.done.resolve(WELL);
  await turn();
  equal(runs.length, 2);
  equal(JSON.parse(runs[1]?.input ?? "").sequence, 2);
});

Deno.test("events for a command that is too slow are counted, told once, and lost", async () => {
  const lines: string[] = [];
  const { hook, runs, pass } = hookWith(lines);
  for (let number = 0; number <= HOOK_WAITING_MAX + 10; number++) hook.take(event(number));
  equal(lines.length, 1);
  const [problem] = hook.problems();
  equal(problem?.code, "event-hook-slow");
  match(problem?.text ?? "", /^10 events/);
  for (let number = 0; number <= HOOK_WAITING_MAX; number++) {
    runs[number]?.done.resolve(WELL);
    await turn();
  }
  equal(runs.length, HOOK_WAITING_MAX + 1);
  pass(60_000);
  deepEqual(hook.problems(), []);
});

Deno.test("a command that fails, hangs or cannot be started is told of, and the next event comes", async () => {
  const lines: string[] = [];
  const { hook, runs } = hookWith(lines);
  for (const number of [1, 2, 3, 4]) hook.take(event(number));
  runs[0]?.done.resolve({ code: 7, said: "no such host", timedOut: false });
  await turn();
  runs[1]?.done.resolve({ code: 137, said: "", timedOut: true });
  await turn();
  runs[2]?.done.reject(new Error("no shell"));
  await turn();
  equal(runs.length, 4);
  deepEqual(
    lines.map((line) => /the event command [^,:]*?(failed|killed|started)/.exec(line)?.[1]),
    [
      "failed",
      "killed",
      "started",
    ],
  );
});

Deno.test("at the end what waits is still told, but not for long", async () => {
  const { hook, runs } = hookWith();
  hook.take(event(1));
  hook.take(event(2));
  const closed = hook.close();
  runs[0]?.done.resolve(WELL);
  await turn();
  equal(runs.length, 2);
  await closed;
  equal(runs[1]?.end.aborted, true);
  runs[1]?.done.resolve({ code: 137, said: "", timedOut: false });
  await turn();
  hook.take(event(3));
  equal(runs.length, 2);
});

Deno.test("the real command reads the event, its end is told, and it is killed with all it started", async () => {
  const folder = Deno.makeTempDirSync();
  const end = new AbortController();
  const input = 'a"; touch injected; #$(touch injected)`touch injected`\n';
  const read = await runHook(
    `cd ${folder} && cat > heard; echo said >&2; exit 3`,
    input,
    end.signal,
  );
  deepEqual(read, { code: 3, said: "said", timedOut: false });
  equal(Deno.readTextFileSync(`${folder}/heard`), input);
  deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["heard"]);
  equal((await runHook("exec <&-; exit 0", "x".repeat(1_000_000), end.signal)).code, 0);
  const running = runHook(`sleep 600 & echo $! > ${folder}/pid; sleep 600`, "", end.signal);
  const pid = () => {
    try {
      return Deno.readTextFileSync(`${folder}/pid`).trim();
    } catch {
      return "";
    }
  };
  while (pid() === "") await turn();
  end.abort();
  equal((await running).code, 137);
  // What it started was its group's, and is gone or a zombie that nobody waits for.
  const state = () => {
    try {
      return /^State:\s+(\S)/m.exec(Deno.readTextFileSync(`/proc/${pid()}/status`))?.[1];
    } catch {
      return "gone";
    }
  };
  while (!["gone", "Z"].includes(state() ?? "")) await turn();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("what a command leaves running, in its group or not, keeps no event waiting and lives on", async () => {
  const folder = Deno.makeTempDirSync();
  const end = new AbortController();
  const pidIn = (file: string) => Number(Deno.readTextFileSync(`${folder}/${file}`));
  try {
    // Both keep the command's standard error and input open for longer than a command may run.
    const inGroup = `sleep 600 & echo $! > ${folder}/one; echo said >&2; exit 3`;
    deepEqual(await runHook(inGroup, "x\n", end.signal), {
      code: 3,
      said: "said",
      timedOut: false,
    });
    const leaves =
      `setsid sh -c 'echo $$ > ${folder}/two.new; mv ${folder}/two.new ${folder}/two; ` +
      `exec sleep 600' & until [ -e ${folder}/two ]; do sleep 0.01; done`;
    const large = "x".repeat(1_000_000);
    deepEqual(await runHook(leaves, large, end.signal), { code: 0, said: "", timedOut: false });
    for (const file of ["one", "two"]) {
      match(Deno.readTextFileSync(`/proc/${pidIn(file)}/status`), /^State:\s+[^Z]/m);
    }
  } finally {
    for (const file of ["one", "two"]) {
      try {
        Deno.kill(pidIn(file), "SIGKILL");
      } catch {
        // It was never started.
      }
    }
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a start tells what happened, a reload nothing twice, nothing old and all that is new", async () => {
  const folder = Deno.makeTempDirSync();
  const events = feed();
  const inside = { log: logTo([]), target: { events } } as unknown as Inside;
  const add = () => events.add({ event: "ready", severity: "info", text: "x" });
  const told = (file: string): number[] => {
    try {
      return Deno.readTextFileSync(`${folder}/${file}`).trim().split("\n")
        .map((line) => JSON.parse(line).sequence);
    } catch {
      return [];
    }
  };
  const untilTold = async (file: string, count: number) => {
    while (told(file).length < count) await turn();
  };
  const hook = (command: string, occasion: Occasion) => openEventHook(command, inside, occasion);
  add();
  add();
  const one = hook(`cat >> ${folder}/one`, { isReload: false, before: null });
  await untilTold("one", 2);
  await one.close();
  add(); // while one ends and the other begins
  const two = hook(`cat >> ${folder}/two`, { isReload: true, before: one });
  add();
  await untilTold("two", 2);
  await two.close();
  add(); // nobody wants to know
  const three = hook(`cat >> ${folder}/three`, { isReload: true, before: null });
  add();
  await untilTold("three", 1);
  await three.close();
  deepEqual(["one", "two", "three"].map(told), [[1, 2], [3, 4], [6]]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("peers, readiness, repairs and problems are told when they change", () => {
  const sources = stagedSources();
  const events = feed();
  let overlay = { ...sources.overlay, problems: [] };
  let problems: Problem[] = [];
  let nowMs = 0;
  const lines: string[] = [];
  let fault: string | null = null;
  const watch = new EventWatch(
    {
      log: logTo(lines),
      snapshot: () => sources.snapshot,
      overlay: () => overlay,
      problems() {
        if (fault !== null) throw new Error(fault);
        return problems;
      },
      target: { events },
    } as unknown as ConstructorParameters<typeof EventWatch>[0],
    () => nowMs,
  );
  const news = (changes: Partial<typeof overlay>, waitMs = 250): string[] => {
    const before = events.recent().length;
    overlay = { ...overlay, ...changes };
    nowMs += waitMs;
    watch.settled();
    return events.recent().slice(before).map(({ event, text }) => `${event}: ${text}`);
  };
  const peer = PEER.id;
  watch.event();
  deepEqual(news({ inSync: false, paths: new Map() }), []);
  deepEqual(news({ inSync: true, paths: new Map([[peer, "vxlan"]]) }), [
    "peer-added: 10.244.2.0/24 is reached through h2 (vxlan)",
    "ready: Ready: containers may be started",
  ]);
  deepEqual(news({}), []);
  deepEqual(news({ repairs: overlay.repairs + 2 }), [
    "overlay-repaired: 2 objects of the overlay put back after somebody else removed or changed them",
  ]);
  deepEqual(news({ inSync: false, lastError: "EPERM" }, 100), [], "not looked at yet");
  match(news({}, 150).join(), /^not-ready: Not ready: the kernel is not as wanted, .*: EPERM$/);
  deepEqual(news({ inSync: true, deadPeers: new Map([[peer, "silent"]]) }), [
    "peer-kernel: h2: neither agent nor overlay answers",
    "ready: Ready: containers may be started",
  ]);
  deepEqual(news({ paths: new Map(), deadPeers: new Map() }), [
    "peer-removed: No packets are sent to h2 any more",
  ]);
  problems = [{ code: "a", severity: "error", text: "Found 3 times", remedy: "Do" }];
  deepEqual(news({}, 1_000), ["problem-raised: Found 3 times"]);
  problems = [{ code: "a", severity: "error", text: "Found 4 times", remedy: "Do" }];
  deepEqual(news({}, 1_000), [], "a number more is the same problem");
  deepEqual(news({}, 5_000), []);
  problems = [];
  deepEqual(
    news({ repairs: overlay.repairs + 1 }, 1_000),
    [],
    "nothing happens, so it looks less often",
  );
  deepEqual(news({}, 1_000).length, 1);
  watch.event();
  deepEqual(news({}, 250), ["problem-cleared: No longer: Found 4 times"]);
  fault = "no disk";
  for (let count = 0; count < 3; count++) news({}, 1_000);
  equal(lines.length, 1, lines.join("\n"));
  match(lines[0] ?? "", /events could not be looked for reason="no disk"/);
});
