/** Files that are replaced as a whole: what is left when it does not work. */
import assert from "node:assert/strict";
import { replaceFile } from "../../../mod/host/replace_file.ts";

Deno.test("a file that cannot take its place is not left lying beside it", () => {
  const directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
  try {
    Deno.mkdirSync(`${directory}/taken/full`, { recursive: true });
    assert.throws(() => replaceFile(`${directory}/taken`, new Uint8Array([1])));
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["taken"]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
