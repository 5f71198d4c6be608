/** Log lines: what happened, as people know the hosts. */
import { deepEqual, match } from "node:assert/strict";
import { logEvent } from "../../../mod/agent/event_log.ts";
import { Log } from "../../../mod/base/log.ts";

const WINNER = "11".repeat(16);
const LOSER = "22".repeat(16);

Deno.test("a contest names hosts by name and short id, as everything else does", () => {
  const lines: string[] = [];
  const log = new Log({
    level: "debug",
    format: "json",
    write: (line) => lines.push(line),
    now: () => "2026-01-01T00:00:00.000Z",
  });
  const conflict = {
    kind: "conflict",
    subnet: "10.244.7.0/24",
    winner: WINNER,
    loser: LOSER,
    why: "the higher epoch wins: 2 against 1",
  } as const;
  logEvent(log, conflict, LOSER, (id) => `host ${id.slice(0, 8)}`);
  const { winner, loser } = JSON.parse(lines.join());
  deepEqual([winner, loser], ["host 11111111", "host 22222222"]);
  match(lines.join(), /10\.244\.7\.0/);
});
