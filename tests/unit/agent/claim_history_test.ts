/** What people are told of contests and changes of the subnet, and for how long. */
import { deepEqual, equal, match } from "node:assert/strict";
import { ClaimHistory, type ClaimHistoryOptions } from "../../../mod/agent/claim_history.ts";

const DAY_MS = 86_400_000;
const OLD = "10.244.7.0/24";
const NEW = "10.244.8.0/24";

class Bench {
  readonly directory = Deno.makeTempDirSync({ prefix: "gossamer-history-" });
  readonly path = `${this.directory}/history.json`;
  wallMs = Date.parse("2026-01-02T03:04:05Z");

  open(changes: Partial<ClaimHistoryOptions> = {}): ClaimHistory {
    return new ClaimHistory({
      path: this.path,
      selfId: "aa",
      hasHook: () => true,
      nameOf: (id) => `host ${id}`,
      wallMs: () => this.wallMs,
      ...changes,
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function conflict(subnet: string, winner: string) {
  const loser = winner === "aa" ? "bb" : "aa";
  return {
    kind: "conflict",
    subnet,
    winner,
    loser,
    why: "the higher epoch wins: 2 against 1",
  } as const;
}

function loseAndChange(history: ClaimHistory): void {
  history.note(conflict(OLD, "bb"));
  history.note({ kind: "renumbered", old: OLD, new: NEW });
}

Deno.test("a change of the subnet names the contest that was lost, and is a problem for a day", () => {
  using bench = new Bench();
  const history = bench.open({ hasHook: () => false });
  loseAndChange(history);
  const [problem] = history.problems();
  equal(problem?.code, "renumbered");
  equal(problem?.severity, "warning");
  match(problem?.text ?? "", /from 10\.244\.7\.0\/24 to 10\.244\.8\.0\/24 at 2026-01-02T03:04:05/);
  match(problem?.text ?? "", /host bb has 10\.244\.7\.0\/24 now: the higher epoch wins/);
  match(problem?.remedy ?? "", /Restart the containers.*--on-renumber can do so/);
  bench.wallMs += DAY_MS - 1;
  equal(history.problems().length, 1);
  bench.wallMs += 1;
  deepEqual(history.problems(), []);
  equal(history.list().length, 2, "it stays in the history");
  history.close();
});

Deno.test("a renumber command that ends well ends the problem; one that fails is named in it", () => {
  using bench = new Bench();
  const history = bench.open();
  loseAndChange(history);
  equal(history.problems().length, 1, "while it runs");
  history.hookEnded(OLD, NEW, false);
  match(history.problems()[0]?.remedy ?? "", /^The --on-renumber command failed/);
  history.hookEnded(OLD, NEW, true);
  deepEqual(history.problems(), []);
  history.close();
});

Deno.test("a contest that was won is remembered, and no problem", () => {
  using bench = new Bench();
  const history = bench.open();
  history.note(conflict(OLD, "aa"));
  deepEqual(history.problems(), []);
  const [past] = history.list();
  deepEqual(past?.kind === "conflict" && [past.won, past.winner, past.loser], [
    true,
    "host aa",
    "host bb",
  ]);
  history.close();
});

Deno.test("a restart forgets nothing; a command it interrupted counts as failed", () => {
  using bench = new Bench();
  const before = bench.open();
  loseAndChange(before);
  before.close();
  const after = bench.open();
  deepEqual(after.list().map(({ kind }) => kind), ["renumbered", "conflict"]);
  match(after.problems()[0]?.remedy ?? "", /command failed/);
});

Deno.test("the last sixteen are kept", () => {
  using bench = new Bench();
  const history = bench.open();
  for (let number = 1; number <= 20; number++) history.note(conflict(`10.0.${number}.0/24`, "aa"));
  history.close();
  const past = bench.open().list();
  equal(past.length, 16);
  deepEqual(past.map((each) => each.kind === "conflict" && each.subnet).slice(0, 2), [
    "10.0.20.0/24",
    "10.0.19.0/24",
  ]);
});

Deno.test("a damaged or foreign file is no history, and the next event is kept", () => {
  using bench = new Bench();
  const texts = [
    "",
    "{",
    "{}",
    "[1, null, {}]",
    '[{"kind":"conflict","at":"today"}]',
    "x".repeat(70_000),
  ];
  for (const text of texts) {
    Deno.writeTextFileSync(bench.path, text);
    deepEqual(bench.open().list(), [], text.slice(0, 40));
  }
  const history = bench.open();
  history.note(conflict(OLD, "aa"));
  history.close();
  equal(bench.open().list().length, 1);
});

Deno.test("a disk that refuses is done without", () => {
  using bench = new Bench();
  const history = bench.open({ path: `${bench.directory}/none/history.json` });
  loseAndChange(history);
  history.close();
  equal(history.list().length, 2);
});
