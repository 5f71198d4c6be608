/** Whom `gossamer forget HOST` means. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { forgetTarget } from "../../../mod/agent/forget.ts";
import { record } from "../claim/samples.ts";
import type { Member, MemberStatus } from "../../../mod/swim/member.ts";

function member(number: number, name: string, status: MemberStatus): Member {
  return {
    id: `${number}`.repeat(32),
    name,
    endpoint: `10.0.0.${number}:7947`,
    incarnation: 1,
    instance: "00".repeat(8),
    version: "0.1.0",
    protocolMin: 1,
    protocolMax: 1,
    features: 0,
    status,
    statusSinceMs: 0,
  };
}

const SELF = member(1, "h1", "alive");
const SOURCES = {
  self: SELF,
  members: [
    SELF,
    member(2, "storage-2", "dead"),
    member(3, "storage-3", "alive"),
    member(4, "twin", "dead"),
    { ...member(5, "twin", "dead"), id: "4444445".padEnd(32, "5") },
    member(6, "gone", "left"),
  ],
  missing: [{ id: "7".repeat(32), name: "h7", endpoint: "10.0.0.7:7947" }],
  claims: [
    record({ hostId: "2".repeat(32), subnet: "10.244.2.0/24" }),
    record({ hostId: "7".repeat(32), subnet: "10.244.7.0/24", state: "tentative" }),
    record({
      hostId: "8".repeat(32),
      subnet: "10.244.8.0/24",
      vtep: { address: "10.0.0.8", port: 8472, mac: "02:00:00:00:00:08" },
    }),
    record({ hostId: "9".repeat(32), subnet: "10.244.9.0/24", state: "released" }),
  ],
};

Deno.test("a host is found by name, address, endpoint, subnet, id and the beginning of its id", () => {
  const id = "2".repeat(32);
  for (const host of ["storage-2", "10.0.0.2", "10.0.0.2:7947", "10.244.2.0/24", id, "222222"]) {
    assert.deepEqual(forgetTarget(SOURCES, host, false), {
      id,
      name: "storage-2",
      address: "10.0.0.2:7947",
      status: "dead",
    });
  }
  assert.equal(forgetTarget(SOURCES, "h7", false).status, "unknown");
  assert.equal(forgetTarget(SOURCES, "10.244.7.0/24", false).name, "h7");
  assert.equal(forgetTarget(SOURCES, "gone", false).status, "left");
});

Deno.test("a host of which only the claim is left is found by its id, address and subnet", () => {
  for (const host of ["10.244.8.0/24", "10.0.0.8", "888888", "88888888"]) {
    assert.deepEqual(forgetTarget(SOURCES, host, false), {
      id: "8".repeat(32),
      name: "88888888",
      address: "10.0.0.8",
      status: "unknown",
    });
  }
});

const REFUSED: readonly (readonly [host: string, error: RegExp, remedy: RegExp])[] = [
  [
    "storage-4",
    /known: storage-4, did you mean storage-2\?$/,
    /gossamer members and gossamer subnets list them/,
  ],
  ["10.244.9.0/24", /known: 10\.244\.9\.0\/24/, /gossamer subnets list/],
  ["22222", /known: 22222$/, /gossamer members/],
  ["twin", /^twin may be 2 hosts: twin at 10\.0\.0\.4:7947 is 4+; twin at /, /give the id/],
  ["444444", /^444444 may be 2 hosts/, /give the id/],
  ["storage-3", /^storage-3 \(10\.0\.0\.3:7947\) is alive: only dead/, /repeat with --force/],
  ["h1", /^h1 is this host itself$/, /use gossamer leave/],
];

for (const [host, error, remedy] of REFUSED) {
  Deno.test(`to forget ${host} is refused with a reason and a way out`, () => {
    assert.throws(() => forgetTarget(SOURCES, host, false), (thrown) => {
      assert(thrown instanceof UserError);
      assert.match(thrown.message, error);
      assert.match(thrown.remedy ?? "", remedy);
      return true;
    });
  });
}

Deno.test("with force a host that seems alive is forgotten, but never this one", () => {
  assert.equal(forgetTarget(SOURCES, "storage-3", true).status, "alive");
  assert.throws(() => forgetTarget(SOURCES, "h1", true), /this host itself/);
});
