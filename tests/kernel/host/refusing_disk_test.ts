/** A state directory on a real disk that is full or read-only: what was written last stays, and writing goes on afterwards. */
import assert from "node:assert/strict";
import { mayMakeNamespaces } from "../../../mod/lab/privilege.ts";

const ignore = !mayMakeNamespaces();

Deno.test({
  name: "a full and a read-only disk leave the last claim and the one before it" +
    (ignore ? " [left out: needs root]" : ""),
  ignore,
  fn: async () => {
    const directory = Deno.makeTempDirSync({ prefix: "gossamer-test-" });
    const script = decodeURIComponent(new URL("refusing_disk.ts", import.meta.url).pathname);
    try {
      const { code, stderr } = await new Deno.Command("unshare", {
        args: ["--mount", Deno.execPath(), "run", "-A", "--no-check", script, directory],
        stdin: "null",
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
