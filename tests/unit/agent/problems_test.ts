/** The problems the agent adds to its status: warnings that scrolled by, and hearing from nobody. */
import assert from "node:assert/strict";
import { ConfigError } from "../../../mod/base/errors.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import {
  lonelyProblem,
  overlapProblem,
  plainGossipProblem,
  strangerProblems,
  udpProblem,
  Warnings,
} from "../../../mod/agent/problems.ts";
import type { MemberStatus } from "../../../mod/swim/member.ts";
import { Feature } from "../../../mod/wire/features.ts";

const warning = (text: string) =>
  ({ kind: "warning", code: "name-conflict", text, remedy: "Rename it" }) as const;

Deno.test("a warning is shown for an hour after it was last raised, once", () => {
  const warnings = new Warnings();
  assert.equal(warnings.note(warning("Two are h2"), 0), true);
  assert.equal(warnings.note(warning("Two are h2"), 1_800_000), false);
  const expected = {
    code: "name-conflict",
    severity: "warning",
    text: "Two are h2",
    remedy: "Rename it",
  };
  assert.deepEqual(warnings.recent(1_800_000), [expected]);
  assert.deepEqual(warnings.recent(5_399_999), [expected]);
  assert.deepEqual(warnings.recent(5_400_000), []);
});

Deno.test("of many warnings the newest twenty are shown", () => {
  const warnings = new Warnings();
  for (let number = 1; number <= 30; number++) warnings.note(warning(`h${number}`), number);
  const texts = warnings.recent(100).map(({ text }) => text);
  assert.equal(texts.length, 20);
  assert.deepEqual([texts[0], texts.at(-1)], ["h11", "h30"]);
});

Deno.test("an overlapping network ends a newcomer, but not a host whose containers run", () => {
  const overlaps = () => {
    throw new ConfigError("--network", "10.244.0.0/16 overlaps a route");
  };
  assert.throws(() => overlapProblem(false, overlaps), ConfigError);
  assert.match(overlapProblem(true, overlaps)?.text ?? "", /overlaps a route/);
  assert.equal(overlapProblem(false, () => {}), null);
});

Deno.test("a host with a subnet that hears nobody says whom it tries; one that joined, or waits, does not", () => {
  const lonely = (joined: boolean, state: string, seeds: unknown[] = []) =>
    lonelyProblem({ swim: { joined, seeds }, claim: { state } } as unknown as HostSnapshot);
  assert.equal(lonely(true, "held"), null);
  assert.equal(lonely(false, "waiting"), null);
  const seeds = [{ seed: "10.0.0.9", state: "unreachable", reason: "no route" }];
  assert.match(lonely(false, "held", seeds)?.text ?? "", /it tries 10\.0\.0\.9 \(no route\)$/);
  assert.match(lonely(false, "held")?.text ?? "", /it tries the hosts it remembers$/);
  assert.equal(lonely(false, "held")?.severity, "error");
});

Deno.test("blocked UDP is shown as long as it lasts, and no longer", () => {
  const problemOf = (...blocked: number[]) =>
    udpProblem({
      swim: {
        members: [1, 2, 3, 4, 5, 6, 7].map((number) => ({
          id: `${number}`,
          name: `h${number}`,
          endpoint: `10.0.0.${number}:7947`,
        })),
        path: (id: string) => ({ udp: blocked.includes(Number(id)) ? "blocked" : "ok" }),
      },
    } as unknown as HostSnapshot);
  assert.equal(problemOf(), null);
  assert.match(problemOf(2)?.text ?? "", /between this host and h2 \(10\.0\.0\.2:7947\), so/);
  assert.match(
    problemOf(1, 2, 3, 4, 5, 6, 7)?.text ?? "",
    /h5 \(10\.0\.0\.5:7947\) and 2 more, so/,
  );
  const text = "h2 (10.0.0.2:7947) is there";
  const warnings = new Warnings();
  warnings.note({ kind: "warning", code: "udp-blocked", text, remedy: "" }, 0);
  assert.deepEqual(warnings.recent(1), [], "the state says it, while it is so");
});

Deno.test("plain gossip beside the keys is a problem until it is refused, and names who has no key", () => {
  const problemOf = (
    plainGossip: string,
    members: [name: string, MemberStatus, number][],
    joined = true,
  ) =>
    plainGossipProblem({
      swim: {
        joined,
        encryption: { fingerprints: ["02b6d1f0"], plainGossip },
        members: members.map(([name, status, features]) => ({ name, status, features })),
      },
    } as unknown as HostSnapshot);
  const { opensSealed } = Feature;
  assert.equal(plainGossipProblem({ swim: { encryption: null } } as HostSnapshot), null);
  assert.equal(problemOf("refuse", [["h1", "alive", opensSealed], ["h2", "alive", 0]]), null);
  const some = problemOf("allow", [
    ["h1", "alive", opensSealed],
    ["h10", "dead", 0],
    ["h2", "alive", 0],
    ["h4", "left", 0],
  ]);
  assert.deepEqual([some?.code, some?.severity], ["plain-gossip", "warning"]);
  assert.match(some?.text ?? "", /: 2 of 4 hosts have no key yet: h2, h10$/);
  assert.match(some?.remedy ?? "", /--key-file and --plain-gossip; when all have/);
  const none = problemOf("allow", [["h1", "alive", opensSealed], ["h4", "left", 0]]);
  assert.match(none?.text ?? "", /every host has a key by now$/);
  assert.match(none?.remedy ?? "", /^Restart the agents without --plain-gossip/);
  const alone = problemOf("allow", [["h1", "alive", opensSealed]], false);
  assert.match(alone?.text ?? "", /the other hosts have not been heard of yet$/);
  const many = Array.from(
    { length: 11 },
    (_, index) => [`n${index}`, "alive", 0] as [string, "alive", number],
  );
  assert.match(problemOf("allow", many)?.text ?? "", /: n0, .*, n7 and 3 more$/);
});

Deno.test("strangers that keep knocking are named with how often, once for each reason", () => {
  const stranger = (address: string, reason: string, count: number) => ({
    address,
    reason,
    count,
    firstAtMs: 100_000,
    lastAtMs: 280_000,
  });
  const problemsOf = (strangers: unknown[]) =>
    strangerProblems({
      swim: {
        strangers: () => strangers,
        members: [{ name: "h3", endpoint: "10.0.0.3:7947" }],
      },
    } as unknown as HostSnapshot, 285_000);
  assert.deepEqual(problemsOf([stranger("10.0.0.9", "other-key", 2)]), []);
  const [otherKey, otherCluster] = problemsOf([
    stranger("10.0.0.9", "other-key", 14),
    stranger("10.0.0.3", "other-key", 3),
    stranger("[2001:db8::1]", "other-cluster", 5),
  ]);
  assert.equal(
    otherKey?.text,
    "Gossip from h3 (10.0.0.3, 3 times within 3 min, last 5 s ago), " +
      "10.0.0.9 (14 times within 3 min, last 5 s ago) is refused: " +
      "the sender has no gossip key in common with this host",
  );
  assert.match(otherKey?.remedy ?? "", /compare Encryption/);
  assert.equal(otherCluster?.code, "other-cluster");
  assert.match(otherCluster?.text ?? "", /from 2001:db8::1 \(5 times .* is of another cluster/);
  const many = Array.from({ length: 9 }, (_, at) => stranger(`10.0.1.${at}`, "other-key", 3));
  assert.match(problemsOf(many)[0]?.text ?? "", /10\.0\.1\.8 .* and 4 more is refused/);
});
