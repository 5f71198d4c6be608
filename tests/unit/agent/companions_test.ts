/** Companions of the agent: told of everything, and unable to do harm. */
import { deepEqual, equal } from "node:assert/strict";
import { type CompanionKind, Companions, type Inside } from "../../../mod/agent/companions.ts";
import { Log } from "../../../mod/base/log.ts";

function companions(lines: string[] = []): Companions {
  const write = (line: string) => void lines.push(line);
  return new Companions(new Log({ level: "info", format: "text", write, now: () => "now" }));
}

// What they may look at is not looked at here.
const INSIDE = {} as Inside;
function kinds(...openers: CompanionKind["open"][]): CompanionKind[] {
  return openers.map((open) => ({ open }));
}

const LEFT = { kind: "left" } as const;

Deno.test("companions are told of events and asked for problems, and closed once", async () => {
  const heard: string[] = [];
  const problem = { code: "a", severity: "warning", text: "b", remedy: "c" } as const;
  const all = companions();
  await all.open(
    INSIDE,
    kinds(
      () => Promise.resolve(null),
      () =>
        Promise.resolve({
          event: (event) => void heard.push(event.kind),
          problems: () => [problem],
          close: () => void heard.push("closed"),
        }),
    ),
  );
  all.event(LEFT);
  all.settled();
  deepEqual(all.problems(), [problem]);
  await all.close();
  all.event(LEFT);
  await all.close();
  deepEqual(heard, ["left", "closed"]);
});

Deno.test("a companion that cannot start does not keep the next one from it", async () => {
  const lines: string[] = [];
  const all = companions(lines);
  let events = 0;
  await all.open(
    INSIDE,
    kinds(
      () => Promise.reject(new Error("no such thing")),
      () => Promise.resolve({ event: () => void events++, close: () => {} }),
    ),
  );
  all.event(LEFT);
  equal(events, 1);
  equal(lines.length, 1);
  equal(lines[0]?.includes("no such thing"), true);
});

Deno.test("a companion that throws is closed and left out; the others go on", async () => {
  const lines: string[] = [];
  const all = companions(lines);
  const heard: string[] = [];
  await all.open(
    INSIDE,
    kinds(
      () =>
        Promise.resolve({
          event: () => {
            throw new Error("broken");
          },
          close: () => void heard.push("first closed"),
        }),
      () => Promise.resolve({ event: () => void heard.push("second"), close: () => {} }),
    ),
  );
  all.event(LEFT);
  all.event(LEFT);
  await Promise.resolve();
  deepEqual(heard, ["first closed", "second", "second"]);
  equal(lines.length, 1);
});

Deno.test("one that opens after the end is closed at once", async () => {
  const all = companions();
  const opened = Promise.withResolvers<void>();
  let isClosed = false;
  const opening = all.open(
    INSIDE,
    kinds(
      () => opened.promise.then(() => ({ close: () => void (isClosed = true) })),
    ),
  );
  await all.close();
  opened.resolve();
  await opening;
  equal(isClosed, true);
});

Deno.test("the end does not wait for one that never ends", async () => {
  const all = companions();
  await all.open(
    INSIDE,
    kinds(() => Promise.resolve({ close: () => new Promise<void>(() => {}) })),
  );
  await all.close();
});

Deno.test("when a setting changes, whoever reads it begins anew, and nobody else", async () => {
  const heard: string[] = [];
  const kind = (name: string, reads: CompanionKind["reads"]): CompanionKind => ({
    ...(reads === undefined ? {} : { reads }),
    open: () => {
      heard.push(`${name} opens`);
      return Promise.resolve({
        event: () => void heard.push(name),
        close: () => void heard.push(`${name} closes`),
      });
    },
  });
  const all = [kind("hook", ["onEvent"]), kind("page", ["http"]), kind("probe", undefined)];
  const running = companions();
  await running.open(INSIDE, all);
  heard.length = 0;
  await running.reopen(INSIDE, all, ["http", "logLevel"]);
  deepEqual(heard, ["page closes", "page opens"]);
  heard.length = 0;
  running.event(LEFT);
  deepEqual(heard.toSorted(), ["hook", "page", "probe"]);
});

Deno.test("who is opened learns whether it takes another's place", async () => {
  const occasions: string[] = [];
  let count = 0;
  const kind: CompanionKind = {
    reads: ["onEvent"],
    open: (_inside, { isReload, before }) => {
      const companion = { number: ++count, close: () => {} };
      const old = before !== null && "number" in before ? before.number : null;
      occasions.push(`${companion.number}: ${isReload ? "reload" : "start"}, before it ${old}`);
      return Promise.resolve(count === 3 ? null : companion);
    },
  };
  const running = companions();
  await running.open(INSIDE, [kind]);
  for (let reload = 0; reload < 3; reload++) await running.reopen(INSIDE, [kind], ["onEvent"]);
  deepEqual(occasions, [
    "1: start, before it null",
    "2: reload, before it 1",
    "3: reload, before it 2",
    "4: reload, before it null",
  ]);
});

Deno.test("a change while companions are being opened opens none twice", async () => {
  const running = companions();
  const slow = Promise.withResolvers<void>();
  let open = 0;
  const page: CompanionKind = {
    reads: ["http"],
    open: () => {
      open++;
      return Promise.resolve({ close: () => void open-- });
    },
  };
  const opening = running.open(INSIDE, [
    { open: () => slow.promise.then(() => null) },
    page,
  ]);
  const reopening = running.reopen(INSIDE, [page], ["http"]);
  slow.resolve();
  await Promise.all([opening, reopening]);
  equal(open, 1);
});
