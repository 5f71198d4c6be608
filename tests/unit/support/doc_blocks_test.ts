/** Which blocks of the documentation run, and how. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { docBlocks, shapeOf } from "../../support/doc_blocks.ts";

const FENCE = "```";

function text(info: string, ...body: string[]): string {
  return ["words", `${FENCE}${info}`, ...body, FENCE, "more"].join("\n");
}

Deno.test("only marked blocks run, by lines or by what is behind the dollar", () => {
  deepEqual(docBlocks(text("sh", "rm -rf /")), []);
  deepEqual(docBlocks(text("", "x")), []);
  deepEqual(docBlocks(text("sh run", "a", "b")), [
    { line: 2, script: "a\nb", output: null, host: "h1", needs: [], exitCode: 0 },
  ]);
  const console = text("console run", "$ a", "$ b -c", "first", "second");
  deepEqual(docBlocks(console).map(({ script, output }) => [script, output]), [
    ["a\nb -c", "first"],
  ]);
  equal(docBlocks(text("console run", "$ a"))[0]?.output, null);
});

Deno.test("a block within a list is taken without its indentation, and those behind it too", () => {
  const indented = ["- item", "", `  ${FENCE}sh run`, "  a", "    b", `  ${FENCE}`].join("\n");
  const blocks = docBlocks(`${indented}\n${text("sh run", "c")}`);
  deepEqual(blocks.map(({ script }) => script), ["a\n  b", "c"]);
});

Deno.test("marks say where, with what and to which end; one that is not known is refused", () => {
  const [block] = docBlocks(text("sh run on=h2 needs=docker,ip exit=4", "a"));
  deepEqual([block?.host, block?.needs, block?.exitCode], ["h2", ["docker", "ip"], 4]);
  for (const info of ["sh runs", "sh run on=h3", "sh run twice", "toml run", "sh run on="]) {
    throws(() => docBlocks(text(info, "a")), /line 2: .* not understood/, info);
  }
});

Deno.test("lines are alike whose numbers and columns differ", () => {
  equal(shapeOf("h1  192.168.100.1   alive 1.4ms"), shapeOf("h2 10.0.0.17 alive  22.1ms"));
  equal(shapeOf("a") === shapeOf("b"), false);
});
