/** The table of members. */
import assert from "node:assert/strict";
import { Random } from "../../../mod/base/random.ts";
import type { Member, MemberStatus } from "../../../mod/swim/member.ts";
import { MemberTable } from "../../../mod/swim/members.ts";
import { peer } from "./stage.ts";

function member(number: number, status: MemberStatus = "alive"): Member {
  return { ...peer(number), status, statusSinceMs: 0 };
}

Deno.test("members are listed by id whatever the order they came in", () => {
  const table = new MemberTable();
  for (const number of [5, 3, 9, 1, 7]) table.put(member(number));
  table.put(member(3, "dead"));
  table.remove(peer(5).id);
  assert.deepEqual(table.list().map(({ name }) => name), ["h1", "h3", "h7", "h9"]);
  assert.equal(table.get(peer(3).id)?.status, "dead");
  assert.equal(table.get(peer(5).id), undefined);
});

Deno.test("statuses are counted through every change", () => {
  const table = new MemberTable();
  for (const number of [1, 2, 3]) table.put(member(number));
  table.put(member(2, "suspect"));
  table.put(member(3, "dead"));
  assert.deepEqual([table.count("alive"), table.count("suspect"), table.count("dead")], [1, 1, 1]);
  assert.equal(table.reachableCount, 2);
  table.remove(peer(3).id);
  assert.equal(table.count("dead"), 0);
});

Deno.test("picked members are acceptable, distinct, as many as there are, and evenly chosen", () => {
  for (const size of [1, 4, 10, 200]) {
    const table = new MemberTable();
    for (let number = 1; number <= size; number++) table.put(member(number));
    const random = new Random(size);
    const counts = new Map<string, number>();
    for (let round = 0; round < 2000; round++) {
      const picked = table.pick(random, 3, ({ name }) => name !== "h1");
      assert.equal(picked.length, Math.min(3, size - 1));
      assert.equal(new Set(picked).size, picked.length);
      for (const { name } of picked) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    assert.equal(counts.has("h1"), false);
    const expected = 2000 * Math.min(3, size - 1) / (size - 1);
    for (const count of counts.values()) {
      assert.ok(Math.abs(count - expected) < 6 * Math.sqrt(expected), `${count} of ${expected}`);
    }
  }
});

Deno.test("the few acceptable ones in a large table are found", () => {
  const table = new MemberTable();
  for (let number = 1; number <= 200; number++) table.put(member(number));
  const picked = table.pick(new Random(1), 3, ({ name }) => name === "h77" || name === "h133");
  assert.deepEqual(picked.map(({ name }) => name).sort(), ["h133", "h77"]);
});
