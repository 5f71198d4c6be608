/** The manual pages as groff reads them: without a warning. */
import assert from "node:assert/strict";
import { hasProgram } from "../support/programs.ts";
import { builtExecutable } from "./executable.ts";

Deno.test({
  name: "gossamer man writes pages that groff finds nothing to say about",
  ignore: !hasProgram("groff"),
  async fn() {
    const folder = Deno.makeTempDirSync();
    try {
      const { success } = await new Deno.Command(await builtExecutable(), {
        args: ["man", "--out", folder],
      })
        .output();
      assert(success);
      const files = ["man1", "man5"].flatMap((section) =>
        [...Deno.readDirSync(`${folder}/${section}`)].map(({ name }) =>
          `${folder}/${section}/${name}`
        )
      );
      assert(files.length > 20);
      const { code, stderr } = await new Deno.Command("groff", {
        args: ["-man", "-Tutf8", "-ww", "-z", ...files],
      }).output();
      assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
