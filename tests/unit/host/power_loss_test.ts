/** Power lost, or the disk full, between any two steps of a write: the document is the old or the new one, whole. */
import assert from "node:assert/strict";
import { replaceFile } from "../../../mod/host/replace_file.ts";
import { DiskRefusal, FragileDisk, PowerLoss } from "./fragile_disk.ts";

const PATH = "/state/claim.state";
const PREVIOUS = "/state/claim.previous";
const WRITES = 4;

function documentOf(number: number): Uint8Array {
  return new TextEncoder().encode(`document ${number}`);
}

function textOf(files: ReadonlyMap<string, Uint8Array>, path: string): string | undefined {
  const bytes = files.get(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Writes documents 1, 2, ... until the disk fails; how many were done, and so may have been announced. */
function writeAll(disk: FragileDisk, first: number, last: number): number {
  for (let number = first; number <= last; number++) {
    try {
      replaceFile(PATH, documentOf(number), { previous: PREVIOUS, disk });
    } catch (error) {
      if (error instanceof PowerLoss || error instanceof DiskRefusal) return number - 1;
      throw error;
    }
  }
  return last;
}

function stepsOf(writes: number): number {
  const disk = new FragileDisk();
  writeAll(disk, 1, writes);
  return disk.steps;
}

Deno.test("power lost at any step leaves the last document or the one under way, whole, and one before it", () => {
  const all = stepsOf(WRITES);
  let states = 0;
  for (let step = 0; step <= all; step++) {
    const disk = new FragileDisk();
    disk.failsAt = step;
    const done = writeAll(disk, 1, WRITES);
    for (const files of disk.afterPowerLoss()) {
      states++;
      const current = textOf(files, PATH);
      const possible = [done, done + 1].map((number) =>
        number === 0 ? undefined : `document ${number}`
      );
      assert(possible.includes(current), `step ${step}: ${current}, ${done} written`);
      const previous = textOf(files, PREVIOUS);
      if (previous === undefined) continue;
      // Never a damaged one, and not older than the one before the last that may have been announced.
      assert.match(previous, /^document \d$/);
      assert(Number(previous.at(-1)) >= done - 1, `step ${step}: ${previous}, ${done} written`);
    }
  }
  assert(states > 500, `${states} states`);
});

Deno.test("a write after power was lost at any step finds nothing in its way", () => {
  for (let step = 0; step <= stepsOf(3); step++) {
    const disk = new FragileDisk();
    disk.failsAt = step;
    const done = writeAll(disk, 1, 3);
    disk.failsAt = Infinity; // what the process before it left lies there as it was
    assert.equal(writeAll(disk, done + 1, done + 2), done + 2);
    const files = disk.files();
    assert.equal(textOf(files, PATH), `document ${done + 2}`);
    assert.equal(textOf(files, PREVIOUS), `document ${done + 1}`);
    assert.deepEqual([...files.keys()].sort(), [PREVIOUS, PATH]);
  }
});

Deno.test("a disk that refuses any one step leaves a whole document, and takes the next one", () => {
  for (let step = 0; step < stepsOf(3); step++) {
    const disk = new FragileDisk();
    disk.isPower = false;
    disk.failsAt = step;
    const done = writeAll(disk, 1, 3);
    const current = textOf(disk.files(), PATH);
    // Only the sync of the folder comes after the new name; it is not told as written, and not taken back.
    const possible = [done, done + 1].map((number) =>
      number === 0 ? undefined : `document ${number}`
    );
    assert(possible.includes(current), `step ${step}: ${current}, ${done} written`);
    const previous = textOf(disk.files(), PREVIOUS);
    if (previous !== undefined) {
      assert(Number(previous.at(-1)) >= done - 1, `step ${step}: ${previous}`);
    }
    disk.failsAt = Infinity;
    assert.equal(writeAll(disk, 8, 9), 9);
    assert.equal(textOf(disk.files(), PATH), "document 9");
    assert.equal(textOf(disk.files(), PREVIOUS), "document 8");
  }
});
