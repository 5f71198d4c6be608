/** The tidy checkers catch what they are for: each is fed a made-up file that breaks its rule. */
import assert from "node:assert/strict";
import { deadFiles, entryFiles } from "./dead_files.ts";
import { forbiddenWords } from "./forbidden_words.ts";
import { anchorOf, badTitles, brokenLinks } from "./markdown.ts";
import { missingPortedTests } from "./ported.ts";
import { badChangelog, badDecisions } from "./records.ts";
import type { Checker, SourceFile } from "./source_file.ts";
import {
  emptyNames,
  longFiles,
  oddlySpelledNames,
  undescribedModules,
  unopenedFiles,
} from "./source_shape.ts";
import { disagreeingVersions, missingSetup } from "./versions.ts";

function file(path: string, text = ""): SourceFile {
  return { path, text };
}

const DECISION = "# T\n\n## Context\n\n## Choice\n\n## Rejected\n\n## Figure\n";

const CASES: { check: Checker; good: SourceFile[]; bad: SourceFile[]; complaint: RegExp }[] = [
  {
    check: longFiles,
    good: [file("mod/base/a.ts", "x\n".repeat(400)), file("tests/b.ts", "x\n".repeat(900))],
    bad: [file("mod/base/a.ts", "x\n".repeat(401))],
    complaint: /a\.ts has 401 lines/,
  },
  {
    check: missingPortedTests,
    good: [
      file(
        "docs/ported-tests.md",
        "| behaviour | f | t |\n| --- |\n| A | [a](../tests/a.ts) | b c |\n",
      ),
      file("tests/a.ts", 'Deno.test("b c", () => {});'),
    ],
    bad: [
      file("docs/ported-tests.md", "| A | [a](../tests/a.ts) | b |\n"),
      file("tests/a.ts", 'Deno.test("b c", () => {});'),
    ],
    complaint: /names a test that tests\/a\.ts has not: b$/,
  },
  {
    check: missingPortedTests,
    good: [file("docs/ported-tests.md", "nothing yet\n")],
    bad: [file("docs/ported-tests.md", "| A | nowhere | b |\n")],
    complaint: /1 rows that name no file/,
  },
  {
    check: unopenedFiles,
    good: [
      file("a.ts", "/** A. */\n"),
      file("b.ts", "#!/usr/bin/env deno\n/** B. */"),
      file("c.md"),
    ],
    bad: [file("a.ts", "import x from 'y';\n/** Late. */")],
    complaint: /a\.ts does not open/,
  },
  {
    check: emptyNames,
    good: [file("mod/base/assert.ts"), file("mod/host/communication.ts")],
    bad: [file("mod/base/string_utils.ts")],
    complaint: /string_utils/,
  },
  {
    check: emptyNames,
    good: [],
    bad: [file("tests/helpers/a.ts")],
    complaint: /helpers/,
  },
  {
    check: oddlySpelledNames,
    good: [file("mod/base/kernel_objects.ts"), file("docs/adr/0001-no-std.md")],
    bad: [file("mod/base/kernelObjects.ts")],
    complaint: /kernelObjects/,
  },
  {
    check: undescribedModules,
    good: [file("docs/architecture.md", "  swim/   the engine\n"), file("mod/swim/a.ts")],
    bad: [file("docs/architecture.md", "  swim/   the engine\n"), file("mod/extra/a.ts")],
    complaint: /extra\//,
  },
  {
    check: forbiddenWords,
    good: [file("a.ts", "// TODO(#12): later\nconst path = `${x}/work/y`;")],
    bad: [file("a.ts", "// TODO: later")],
    complaint: /a\.ts:1: "TODO"/,
  },
  {
    check: forbiddenWords,
    good: [file("a.md", "framework/home and docs/work/x")],
    bad: [file("a.md", "\nsee /home/me/x")],
    complaint: /a\.md:2/,
  },
  {
    check: forbiddenWords,
    good: [file("deno.lock", '"integrity": "sha512-x"')],
    bad: [file("deno.lock", '"tarball": "https://registry.npmjs.org/x.tgz"')],
    complaint: /registry/,
  },
  {
    check: badTitles,
    good: [file("a.md", "# A\n\n```sh\n# no title\n```\n## B\n")],
    bad: [file("a.md", "# A\n\n# B\n")],
    complaint: /2 titles/,
  },
  { check: badTitles, good: [], bad: [file("a.md", "\n# A\n")], complaint: /first line/ },
  {
    check: brokenLinks,
    good: [
      file("docs/a.md", "# A\n[b](../b.md) [f](adr/) [w](https://x.org/y) [s](../b.md#the-part-1)"),
      file("b.md", "# B\n## The part: 1\n`[no](link.md)`"),
      file("docs/adr/0001-x.md"),
    ],
    bad: [file("docs/a.md", "# A\n[b](b.md)")],
    complaint: /there is no docs\/b\.md/,
  },
  {
    check: brokenLinks,
    good: [],
    bad: [file("a.md", "# A\n[b](#nowhere)")],
    complaint: /no such heading/,
  },
  {
    check: badDecisions,
    good: [file("docs/adr/0001-a.md", DECISION), file("docs/adr/README.md", "[a](0001-a.md)")],
    bad: [
      file("docs/adr/0001-a.md", DECISION.replace("Figure", "Numbers")),
      file("docs/adr/README.md", "[a](0001-a.md)"),
    ],
    complaint: /no heading ## Figure/,
  },
  {
    check: badDecisions,
    good: [],
    bad: [file("docs/adr/0001-a.md", DECISION)],
    complaint: /not in docs\/adr\/README\.md/,
  },
  {
    check: badDecisions,
    good: [],
    bad: [
      file("docs/adr/0001-a.md", DECISION),
      file("docs/adr/0001-b.md", DECISION),
      file("docs/adr/README.md", "(0001-a.md) (0001-b.md)"),
    ],
    complaint: /0001-b\.md has the number of/,
  },
  {
    check: badChangelog,
    good: [
      file(
        "CHANGELOG.md",
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- x\n\n## [0.2.0] - 2027-01-02\n\n## [0.1.0] - 2026-12-01\n",
      ),
    ],
    bad: [file("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n### News\n")],
    complaint: /### News/,
  },
  {
    check: badChangelog,
    good: [],
    bad: [
      file("CHANGELOG.md", "## [Unreleased]\n## [0.1.0] - 2026-12-01\n## [0.2.0] - 2027-01-02\n"),
    ],
    complaint: /not in order/,
  },
  { check: badChangelog, good: [], bad: [], complaint: /no CHANGELOG/ },
  {
    check: disagreeingVersions,
    good: [
      file("deno.json", '{ "version": "1.2.3" }'),
      file("mod/base/version.ts", 'export const VERSION = "1.2.3";'),
      file(".ci/run", "npx deno@2.9.6 task test"),
      file("README.md", "npx deno@2.9.6 task demo"),
    ],
    bad: [file("deno.json", '{ "version": "1.2.3" }')],
    complaint: /version 1\.2\.3, .* undefined/,
  },
  {
    check: disagreeingVersions,
    good: [],
    bad: [file(".ci/run", "npx deno@2.9.6 task"), file("README.md", "npx deno@2.9.7 task")],
    complaint: /README\.md names deno@2\.9\.7/,
  },
  {
    check: missingSetup,
    good: [
      file("README.md", "npx --yes deno@2.9.6 task demo  # x\nnpx --yes deno@2.9.6 task test\n"),
    ],
    bad: [file("README.md", "npx --yes deno@2.9.6 task test\n`deno task demo`\n")],
    complaint: /task demo/,
  },
  {
    check: forbiddenWords,
    good: [file("README.md", "mail@EXAMPLE.org")],
    bad: [file("README.md", "takes @MILLISECONDS@ ms")],
    complaint: /placeholder/,
  },
];

CASES.forEach(({ check, good, bad, complaint }, index) => {
  Deno.test(`${check.name} catches case ${index}: ${complaint.source}`, () => {
    const complaints = check(bad);
    assert.equal(complaints.length, 1, complaints.join("\n"));
    assert.match(complaints[0] ?? "", complaint);
  });
  if (good.length === 0) return;
  Deno.test(`${check.name} passes case ${index}`, () => assert.deepEqual(check(good), []));
});

Deno.test("a file is alive through imports, through its name in a script, or as a task", () => {
  const files = [
    file("deno.json", '"deno run scripts/build.ts"'),
    file("main.ts"),
    file("mod/a.ts"),
    file("mod/dead.ts", 'const name = "mod/a.ts";'),
    file("scripts/build.ts", 'pack("scripts/launcher.ts")'),
    file("scripts/launcher.ts"),
    file("tests/e2e/x_test.ts", 'new URL("./child.ts", import.meta.url)'),
    file("tests/e2e/child.ts"),
  ];
  const graph = new Map([["main.ts", [{ specifier: "./mod/a.ts", target: "mod/a.ts" }]]]);
  assert.deepEqual(entryFiles(files), ["main.ts", "scripts/build.ts", "tests/e2e/x_test.ts"]);
  assert.deepEqual(deadFiles(files, graph), [
    "mod/dead.ts is reached from no program, test or task",
  ]);
});

Deno.test("an anchor is spelled as GitHub spells it", () => {
  assert.equal(anchorOf("Who may import whom?"), "who-may-import-whom");
  assert.equal(anchorOf("`subnet.env`, byte for byte"), "subnetenv-byte-for-byte");
});
