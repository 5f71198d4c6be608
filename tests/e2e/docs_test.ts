/**
 * The commands of the documentation, on two hosts that found each other: what is marked in it runs, in the order in which it is
 * written. How blocks are marked: tests/support/doc_blocks.ts.
 */
import assert from "node:assert/strict";
import { docBlocks, shapeOf } from "../support/doc_blocks.ts";
import { hasProgram } from "../support/programs.ts";
import { DocStage } from "./doc_stage.ts";
import { hasNetavark } from "./podman_host.ts";
import { scenario } from "./scenario.ts";

const ROOT = new URL("../../", import.meta.url);

/** Longer than any command of the documentation takes. */
const TIME_LIMIT_MS = 120_000;

function documents(): string[] {
  const docs = [...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`);
  return ["README.md", ...docs.filter((name) => name.endsWith(".md")).sort()];
}

for (const document of documents()) {
  const blocks = docBlocks(Deno.readTextFileSync(new URL(document, ROOT)));
  if (blocks.length === 0) continue;
  scenario(import.meta, `the commands of ${document} run`, {
    hosts: 2,
    timeLimitMs: TIME_LIMIT_MS,
  }, async ({ lab: { hosts }, folder, executable, step, note }) => {
    const stage = await DocStage.open(document, { hosts, folder, executable });
    for (const { line, script, output, host, needs, exitCode } of blocks) {
      const missing = needs.filter((name) =>
        !(name === "netavark" ? hasNetavark() : hasProgram(name))
      );
      if (missing.length > 0) {
        note(`${document}:${line} is left out: there is no ${missing.join(" and no ")}`);
        continue;
      }
      await step(`line ${line}: ${script.split("\n")[0]}`, async () => {
        const result = await stage.run(host, script);
        assert.equal(result.code, exitCode, `${script}\n${result.stdout}${result.stderr}`);
        if (output === null) return;
        assert.equal(shapeOf(result.stdout.split("\n")[0] ?? ""), shapeOf(output));
      });
    }
    await stage.close();
  });
}
