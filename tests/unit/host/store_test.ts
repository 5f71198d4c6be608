/** The state directory: whole documents, one agent at a time, clear refusals. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import { Store } from "../../../mod/host/store.ts";

function inTemporaryDirectory(test: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
  try {
    test(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a document read back is what was written last, and nothing else is left behind", () => {
  inTemporaryDirectory((directory) => {
    const store = Store.open(`${directory}/a/b`);
    assert.equal(store.read("claim"), null);
    store.write("claim", new Uint8Array([1, 2, 3]));
    store.write("claim", new Uint8Array([4]));
    assert.deepEqual(store.read("claim"), new Uint8Array([4]));
    const names = [...Deno.readDirSync(store.directory)].map((entry) => entry.name).sort();
    assert.deepEqual(names, ["claim.previous", "claim.state", "lock"]);
    assert.deepEqual(store.read("claim", "previous"), new Uint8Array([1, 2, 3]));
    assert.equal((Deno.statSync(store.path("claim")).mode ?? 0) & 0o777, 0o600);
    store.close();
  });
});

Deno.test("a second agent on the same state directory is refused by name", () => {
  inTemporaryDirectory((directory) => {
    const first = Store.open(directory);
    assert.throws(() => Store.open(directory), (error) => {
      assert(error instanceof UserError);
      assert.equal(error.message, `another agent uses the state directory ${directory}`);
      return true;
    });
    first.close();
    Store.open(directory).close();
  });
});

Deno.test("a state directory that cannot be made says where and what to do", () => {
  inTemporaryDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    assert.throws(() => Store.open(`${directory}/file/state`), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, /the state directory .*file\/state cannot be used/);
      assert.match(error.remedy ?? "", /--state-dir/);
      return true;
    });
  });
});

Deno.test("a document tells how long ago it was written or marked, if anybody knows", () => {
  inTemporaryDirectory((directory) => {
    const store = Store.open(directory);
    assert.equal(store.ageMs("claim"), null);
    store.touch("claim"); // nothing there to mark
    store.write("claim", new Uint8Array([1]));
    const longAgo = new Date(Date.now() - 3_600_000);
    Deno.utimeSync(store.path("claim"), longAgo, longAgo);
    assert((store.ageMs("claim") ?? 0) >= 3_600_000);
    store.touch("claim");
    assert((store.ageMs("claim") ?? Infinity) < 3_600_000);
    store.close();
  });
});
