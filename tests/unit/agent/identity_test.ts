/** Who this host is, from what an earlier run left on the disk. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { restoreIdentity } from "../../../mod/agent/identity.ts";
import { Store } from "../../../mod/host/store.ts";
import { encodeMembers } from "../../../mod/swim/memory.ts";

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
    const one = restoreIdentity(store, false);
    const other = restoreIdentity(store, false);
    assert.match(one.hostId, /^[0-9a-f]{32}$/);
    assert.match(one.instance, /^[0-9a-f]{16}$/);
    assert.notEqual(one.instance, other.instance);
    assert.deepEqual([one.claim, one.members], [null, null]);
  });
});

Deno.test("a damaged claim ends the start, naming the file and what to do", () => {
  withStore((store) => {
    store.write("claim", new Uint8Array([1, 2, 3]));
    assert.throws(() => restoreIdentity(store, true), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, /claim\.state is damaged/);
      assert.match(error.remedy ?? "", /backup, or delete it/);
      return true;
    });
  });
});

Deno.test("damaged members end the start only where there are no seeds", () => {
  withStore((store) => {
    store.write("members", new Uint8Array([1, 2, 3]));
    assert.throws(() => restoreIdentity(store, false), /members\.state is damaged/);
    assert.equal(restoreIdentity(store, true).members, null);
    store.write("members", encodeMembers({ incarnation: 7, members: [] }));
    assert.equal(restoreIdentity(store, true).members?.incarnation, 7);
  });
});
