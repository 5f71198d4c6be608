/**
 * Runs in a mount namespace of its own: a state directory on a small tmpfs that is filled up, made room on, and made
 * read-only. Ends with exit code 0 when each time the last good claim was there.
 */
import assert from "node:assert/strict";
import { Store } from "../../../mod/host/store.ts";

const [directory = ""] = Deno.args;
/** Pages are 4 KiB: too much for the rest of the disk, small enough for all of it. */
const LARGE_BYTES = 24 * 1024;
const SMALL = new Uint8Array([1, 2, 3]);

function mount(...args: string[]): void {
  const { success } = new Deno.Command("mount", { args, stdin: "null" }).outputSync();
  assert(success, `mount ${args.join(" ")}`);
}

mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", directory);
const store = Store.open(directory);
store.write("claim", SMALL);
const large = new Uint8Array(LARGE_BYTES).fill(7);
store.write("claim", large);
Deno.writeFileSync(`${directory}/other`, new Uint8Array(20 * 1024));

for (let attempt = 0; attempt < 3; attempt++) {
  assert.throws(() => store.write("claim", new Uint8Array(LARGE_BYTES)), /No space left/);
  assert.deepEqual(store.read("claim"), large);
  assert.deepEqual(store.read("claim", "previous"), SMALL);
}
Deno.removeSync(`${directory}/other`);
store.write("claim", SMALL);
assert.deepEqual(store.read("claim"), SMALL);
assert.deepEqual(store.read("claim", "previous"), large);

// A mount upon itself: the file system as a whole cannot become read-only while the lock is open for writing.
mount("--bind", directory, directory);
mount("-o", "remount,bind,ro", directory);
assert.throws(() => store.write("claim", large), /Read-only file system/);
store.touch("claim");
assert.deepEqual(store.read("claim"), SMALL);
mount("-o", "remount,bind,rw", directory);
store.write("claim", new Uint8Array([4]));
assert.deepEqual(store.read("claim"), new Uint8Array([4]));
store.close();
