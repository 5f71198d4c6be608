/** Log lines on a stream that takes little at a time, or nothing any more. */
import assert from "node:assert/strict";
import { writeLogLine } from "../../../mod/host/log_writer.ts";

Deno.test("a line is written whole, however little the stream takes at once", () => {
  const taken: number[] = [];
  writeLogLine("ready: ü", {
    writeSync(bytes) {
      taken.push(...bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  });
  assert.equal(new TextDecoder().decode(Uint8Array.from(taken)), "ready: ü\n");
});

Deno.test("a stream whose reader is gone ends nothing", () => {
  writeLogLine("ready", {
    writeSync() {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
  });
});
