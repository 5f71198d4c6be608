/** Who this host is, from what an earlier run left on the disk. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { giveUpIdentity, storeProblems } from "../../../mod/agent/another_identity.ts";
import { type IdentityOptions, restoreIdentity } from "../../../mod/agent/identity.ts";
import { encodeClaimMemory } from "../../../mod/claim/memory.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import { Store } from "../../../mod/host/store.ts";
import { decodeMembers, encodeMembers } from "../../../mod/swim/memory.ts";
import { hostId, record } from "../claim/samples.ts";

const ALONE: IdentityOptions = { machine: undefined, keepsIdentity: false };
/** Two machines. */
const HERE = "11".repeat(16);
const ELSEWHERE = "22".repeat(16);
const HOUR_MS = 3_600_000;

const CLAIM: RestoredClaim = {
  hostId: hostId(1),
  generation: 7,
  lamport: 42,
  fence: [{ subnet: "10.244.9.0/24", epoch: 3 }],
  record: record({ generation: 7 }),
  previous: null,
  others: [{ record: record({ hostId: hostId(2), subnet: "10.244.8.0/24" }), ageMs: 0 }],
  machine: ELSEWHERE,
};

function withStore(test: (store: Store) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
  const store = Store.open(directory);
  try {
    test(store);
  } finally {
    store.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a first start draws an id and an instance, each start another instance", () => {
  withStore((store) => {
    const one = restoreIdentity(store, ALONE);
    const other = restoreIdentity(store, ALONE);
    assert.match(one.hostId, /^[0-9a-f]{32}$/);
    assert.match(one.instance, /^[0-9a-f]{16}$/);
    assert.notEqual(one.instance, other.instance);
    assert.deepEqual([one.claim, one.members], [null, null]);
  });
});

Deno.test("a damaged claim ends the start, naming the file and what to do", () => {
  withStore((store) => {
    store.write("claim", new Uint8Array([1, 2, 3]));
    assert.throws(() => restoreIdentity(store, ALONE), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, /claim\.state is damaged/);
      assert.match(error.remedy ?? "", /backup, or delete both/);
      return true;
    });
  });
});

Deno.test("damaged members are said, and stop no start: there are others, but nobody knows where", () => {
  withStore((store) => {
    store.write("members", new Uint8Array([1, 2, 3]));
    const lost = restoreIdentity(store, ALONE);
    assert.deepEqual([lost.members, lost.hasLostMembers], [null, true]);
    assert.match(lost.notices.join(), /members\.state is damaged \(.*does not remember/);
    store.write("members", encodeMembers({ incarnation: 7, members: [] }));
    const found = restoreIdentity(store, ALONE);
    assert.deepEqual([found.members?.incarnation, found.hasLostMembers], [7, false]);
    assert.deepEqual(found.notices, []);
  });
});

Deno.test("members of which any byte changed are not used", () => {
  const bytes = encodeMembers({
    incarnation: 7,
    members: [{ id: hostId(2), name: "h2", endpoint: "192.0.2.2:7947" }],
  });
  for (let index = 0; index < bytes.length; index++) {
    const damaged = bytes.slice();
    damaged[index] = (damaged[index] ?? 0) ^ 1;
    assert.throws(() => decodeMembers(damaged), `byte ${index}`);
  }
});

Deno.test("what was damaged is read from the copy before it, and returned to with care", () => {
  withStore((store) => {
    store.write("claim", encodeClaimMemory(CLAIM));
    store.write("claim", encodeClaimMemory(CLAIM));
    Deno.writeFileSync(store.path("claim"), new Uint8Array(5));
    const identity = restoreIdentity(store, ALONE);
    assert.equal(identity.hostId, CLAIM.hostId);
    assert.equal(identity.claim?.generation, 8);
    assert.equal(identity.returnsCarefully, true);
    assert.equal(identity.notices.length, 1);
    // Not written since: the next start is as careful.
    assert.equal(restoreIdentity(store, ALONE).returnsCarefully, true);
  });
});

Deno.test("damaged members are read from the copy before them", () => {
  withStore((store) => {
    store.write("members", encodeMembers({ incarnation: 7, members: [] }));
    store.write("members", encodeMembers({ incarnation: 8, members: [] }));
    Deno.writeFileSync(store.path("members"), new Uint8Array(5));
    const identity = restoreIdentity(store, ALONE);
    assert.equal(identity.members?.incarnation, 7);
    assert.match(identity.notices.join(), /members\.state is damaged .*the copy before it is used/);
    Deno.removeSync(store.path("members")); // as an operator does who wants it forgotten
    assert.equal(restoreIdentity(store, ALONE).members, null);
  });
});

Deno.test("who was away for half the absence that others wait for returns with care, or whose clock is behind", () => {
  withStore((store) => {
    for (
      const [agoMs, isCareful] of [
        [0, false],
        [11 * HOUR_MS, false],
        [13 * HOUR_MS, true],
        [-60_000, false],
        [-HOUR_MS, true],
      ] as const
    ) {
      store.write("claim", encodeClaimMemory(CLAIM));
      const at = new Date(Date.now() - agoMs);
      Deno.utimeSync(store.path("claim"), at, at);
      assert.equal(restoreIdentity(store, ALONE).returnsCarefully, isCareful, `${agoMs} ms ago`);
    }
  });
});

Deno.test("what another machine wrote is another host's: a new identity that knows what it knew", () => {
  withStore((store) => {
    store.write("claim", encodeClaimMemory(CLAIM));
    store.write("claim", encodeClaimMemory(CLAIM));
    const identity = restoreIdentity(store, { ...ALONE, machine: HERE });
    assert.notEqual(identity.hostId, CLAIM.hostId);
    assert.match(identity.notices.join(), /written on another machine/);
    const { claim } = identity;
    assert.deepEqual([claim?.record, claim?.generation], [null, 0]);
    assert.equal(claim?.previous, "10.244.7.0/24"); // its containers are told of the next one
    assert.deepEqual(claim?.fence, CLAIM.fence);
    const known = claim?.others?.map((other) => other.record.hostId);
    assert.deepEqual(known, [hostId(2), hostId(1)]);
    // It is durable, and nothing leads back to the old one.
    assert.equal(store.has("claim", "previous"), false);
    const again = restoreIdentity(store, { ...ALONE, machine: HERE });
    assert.deepEqual([again.hostId, again.notices], [identity.hostId, []]);
    const [problem] = storeProblems(store, HERE);
    assert.equal(problem?.code, "identity-lost");
    assert.match(
      problem?.text ?? "",
      /10\.244\.7\.0\/24, because its state directory was written on/,
    );
    assert.match(problem?.remedy ?? "", /--keep-identity/);
  });
});

Deno.test("the same machine, an unknown one, and --keep-identity keep the identity", () => {
  withStore((store) => {
    store.write("claim", encodeClaimMemory(CLAIM));
    for (
      const options of [
        { ...ALONE, machine: ELSEWHERE },
        { ...ALONE, machine: undefined },
        { ...ALONE, machine: HERE, keepsIdentity: true },
      ]
    ) assert.equal(restoreIdentity(store, options).hostId, CLAIM.hostId);
    const { machine: _, ...unknown } = CLAIM;
    store.write("claim", encodeClaimMemory(unknown));
    assert.equal(restoreIdentity(store, { ...ALONE, machine: HERE }).hostId, CLAIM.hostId);
    assert.deepEqual(storeProblems(store, HERE), []);
  });
});

Deno.test("an identity that is given up leaves room for a new one that hears the other host first", () => {
  withStore((store) => {
    store.write("claim", encodeClaimMemory(CLAIM));
    giveUpIdentity(store, { id: CLAIM.hostId, endpoint: "10.0.0.9:7947" }, ELSEWHERE);
    const identity = restoreIdentity(store, { ...ALONE, machine: ELSEWHERE });
    assert.notEqual(identity.hostId, CLAIM.hostId);
    assert.equal(identity.claim?.previous, "10.244.7.0/24");
    assert.deepEqual(identity.members?.members.map(({ endpoint }) => endpoint), ["10.0.0.9:7947"]);
    const [problem] = storeProblems(store, ELSEWHERE);
    assert.match(problem?.text ?? "", /another host was running with a copy of it/);
    Deno.removeSync(store.path("claim", "lost"));
    assert.deepEqual(storeProblems(store, ELSEWHERE), []);
  });
});

Deno.test("an identity that was never written down is given up as well", () => {
  withStore((store) => {
    Deno.writeFileSync(store.path("members"), new Uint8Array(4));
    giveUpIdentity(store, { id: hostId(1), endpoint: "10.0.0.9:7947" }, undefined);
    assert.equal(store.read("claim"), null);
    assert.equal(decodeMembers(store.read("members") ?? new Uint8Array()).members.length, 1);
  });
});
