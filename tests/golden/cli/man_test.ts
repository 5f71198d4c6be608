/** The manual pages: some as they are, all of them by the judge that typesets them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { COMMANDS } from "../../../mod/cli/commands/all.ts";
import { manPages } from "../../../mod/cli/man/pages.ts";
import { example, plain } from "../../../mod/cli/man/roff.ts";
import { matchGolden } from "../../support/golden.ts";

const PAGES = manPages(COMMANDS);

for (const file of ["gossamer.1", "gossamer-keys.1", "gossamer.toml.5"]) {
  Deno.test(`the page ${file} says what help says`, () => {
    const page = PAGES.find((one) => one.file === file);
    matchGolden(new URL(`./man_${file}.txt`, import.meta.url), page?.text ?? "");
  });
}

Deno.test("there is a page of each command but version, and each flag is on its page", () => {
  for (const { name, flags } of COMMANDS.filter(({ name }) => name !== "version")) {
    const text = PAGES.find(({ file }) => file === `gossamer-${name}.1`)?.text ?? "";
    for (const flag of flags) {
      assert(text.includes(plain(`--${flag.name}`)), `${name} ${flag.name}`);
    }
  }
});

Deno.test("no text is taken for a request, and none is lost", () => {
  const shown = (roff: string) =>
    roff.replace(
      /\\\((aq|ga|ha|ti)|\\(e|-|&)/g,
      (_, named, one) =>
        named === undefined
          ? { e: "\\", "-": "-", "&": "" }[one as "e" | "-" | "&"]
          : { aq: "'", ga: "`", ha: "^", ti: "~" }[named as "aq" | "ga" | "ha" | "ti"],
    );
  fc.assert(fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
    const roff = plain(text);
    assert(!/^[.']/.test(roff));
    assert.equal(shown(roff), text.replace(/\s+/g, " ").trim());
    const line = text.replaceAll("\n", "");
    const [, , first = ""] = example([line]).split("\n");
    assert(!/^[.']/.test(first));
    assert.equal(shown(first), line);
  }));
});
