/** The claim on a disk that gives back something else than was written: the copy before it, or a clear error. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { readClaim } from "../../../mod/agent/stored_claim.ts";
import { storeProblems } from "../../../mod/agent/another_identity.ts";
import { encodeClaimMemory, NewerClaimError } from "../../../mod/claim/memory.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import { sha256 } from "../../../mod/base/hash.ts";
import { encode } from "../../../mod/wire/codec.ts";
import { Store } from "../../../mod/host/store.ts";
import { hostId, record } from "../claim/samples.ts";

const OLDER: RestoredClaim = {
  hostId: hostId(1),
  generation: 7,
  lamport: 41,
  fence: [],
  record: record({ generation: 7 }),
  previous: null,
  others: [],
};
const NEWER: RestoredClaim = {
  ...OLDER,
  lamport: 42,
  record: record({ generation: 7, sequence: 1 }),
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

/** As an agent has written them, one after the other. */
function withBoth(test: (store: Store, current: Uint8Array) => void): void {
  withStore((store) => {
    store.write("claim", encodeClaimMemory(OLDER));
    store.write("claim", encodeClaimMemory(NEWER));
    test(store, encodeClaimMemory(NEWER));
  });
}

/** Puts the files back as {@linkcode withBoth} made them, with other bytes in the current one. */
function damage(store: Store, bytes: Uint8Array): void {
  Deno.writeFileSync(store.path("claim"), bytes);
  Deno.writeFileSync(store.path("claim", "previous"), encodeClaimMemory(OLDER));
}

function assertCopyUsed(store: Store, damaged: Uint8Array, what: string): void {
  const notices: string[] = [];
  const { claim, isCopy } = readClaim(store, notices);
  // The damaged one may have been the first of generation 8.
  assert.deepEqual(claim, { ...OLDER, generation: 8 }, what);
  assert.equal(isCopy, true);
  assert.match(notices.join(), /claim\.previous, is used instead/);
  assert.deepEqual(store.read("claim", "damaged"), damaged);
}

Deno.test("a whole document is used, and nothing is said", () => {
  withBoth((store) => {
    const notices: string[] = [];
    assert.deepEqual(readClaim(store, notices), { claim: NEWER, isCopy: false });
    assert.deepEqual(notices, []);
    assert.deepEqual(storeProblems(store, undefined), []);
    assert.deepEqual(store.read("claim", "previous"), encodeClaimMemory(OLDER));
  });
});

Deno.test("cut at any length, the document gives way to the copy before it", () => {
  withBoth((store, current) => {
    for (let length = 0; length < current.length; length++) {
      const bytes = current.slice(0, length);
      damage(store, bytes);
      assertCopyUsed(store, bytes, `${length} bytes`);
    }
  });
});

Deno.test("with any one bit changed, the document gives way to the copy before it", () => {
  withBoth((store, current) => {
    for (let at = 0; at < current.length; at++) {
      const bytes = current.slice();
      bytes[at] = (bytes[at] ?? 0) ^ (1 << at % 8);
      damage(store, bytes);
      assertCopyUsed(store, bytes, `byte ${at}`);
    }
  });
});

Deno.test("garbage, an empty file and none at all give way to the copy before it", () => {
  withBoth((store) => {
    for (
      const bytes of [new TextEncoder().encode("hello"), new Uint8Array(300), new Uint8Array()]
    ) {
      damage(store, bytes);
      assertCopyUsed(store, bytes, "garbage");
    }
    store.remove("claim", "damaged");
    Deno.removeSync(store.path("claim"));
    const { claim, isCopy } = readClaim(store, []);
    assert.deepEqual([claim?.generation, isCopy], [8, true]);
  });
});

Deno.test("the copy takes the place of what was damaged at once, counts as old, and is not passed over twice", () => {
  withBoth((store) => {
    damage(store, new Uint8Array(3));
    readClaim(store, []);
    assert((store.ageMs("claim") ?? 0) > 365 * 86_400_000);
    const notices: string[] = [];
    assert.deepEqual(readClaim(store, notices), {
      claim: { ...OLDER, generation: 8 },
      isCopy: false,
    });
    assert.deepEqual(notices, []);
    // A second damage before anything else was written still finds a copy.
    assert.deepEqual(store.read("claim", "previous"), encodeClaimMemory(OLDER));
  });
});

Deno.test("what was damaged is shown until somebody removes it", () => {
  withBoth((store) => {
    damage(store, new Uint8Array(3));
    readClaim(store, []);
    const [problem, ...more] = storeProblems(store, undefined);
    assert.deepEqual(more, []);
    assert.equal(problem?.code, "claim-damaged");
    assert.match(problem?.remedy ?? "", /then remove .*claim\.damaged/);
    Deno.removeSync(store.path("claim", "damaged"));
    assert.deepEqual(storeProblems(store, undefined), []);
  });
});

Deno.test("with both damaged, or damaged and no copy, the start ends with a clear error", () => {
  withBoth((store) => {
    damage(store, new Uint8Array(3));
    Deno.writeFileSync(store.path("claim", "previous"), new Uint8Array(4));
    assert.throws(() => readClaim(store, []), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, /claim\.state is damaged, and so is the copy before it/);
      assert.match(error.remedy ?? "", /backup, or delete both/);
      return true;
    });
    store.remove("claim", "previous");
    assert.throws(() => readClaim(store, []), /claim\.state is damaged, and there is no copy/);
    // Nothing was touched: the operator may have a better idea.
    assert.deepEqual(store.read("claim"), new Uint8Array(3));
  });
});

Deno.test("a newer document is neither read nor replaced by the copy before it", () => {
  withBoth((store) => {
    const body = encode([1, 2, 3]);
    const newer = encode([
      "gossamer claim",
      4,
      sha256("gossamer claim 4 ", body).slice(0, 8),
      body,
    ]);
    damage(store, newer);
    assert.throws(() => readClaim(store, []), NewerClaimError);
    assert.deepEqual(store.read("claim"), newer);
    assert.equal(store.has("claim", "damaged"), false);
  });
});

Deno.test("a copy of a newer program is not gone back to", () => {
  withBoth((store) => {
    const body = encode([1, 2, 3]);
    const newer = encode([
      "gossamer claim",
      4,
      sha256("gossamer claim 4 ", body).slice(0, 8),
      body,
    ]);
    Deno.writeFileSync(store.path("claim"), new Uint8Array(3));
    Deno.writeFileSync(store.path("claim", "previous"), newer);
    assert.throws(() => readClaim(store, []), NewerClaimError);
  });
});

Deno.test("a damaged document that cannot be replaced ends the start, and stays", () => {
  withBoth((store) => {
    damage(store, new Uint8Array(3));
    Deno.mkdirSync(`${store.path("claim")}.new/full`, { recursive: true });
    assert.throws(
      () => readClaim(store, []),
      /damaged and cannot be replaced by the copy before it/,
    );
    assert.deepEqual(store.read("claim"), new Uint8Array(3));
    assert.deepEqual(store.read("claim", "previous"), encodeClaimMemory(OLDER));
  });
});
