/** The project is tidy: every checker of this folder finds nothing to complain about. */
import assert from "node:assert/strict";
import { readModuleGraph } from "../layers/module_graph.ts";
import { deadFiles } from "./dead_files.ts";
import { forbiddenWords } from "./forbidden_words.ts";
import { undocumentedMessages } from "./log_messages.ts";
import { badTitles, brokenLinks } from "./markdown.ts";
import { missingPortedTests } from "./ported.ts";
import { badChangelog, badDecisions } from "./records.ts";
import { type Checker, isTypeScript, readProject } from "./source_file.ts";
import {
  emptyNames,
  longFiles,
  oddlySpelledNames,
  undescribedModules,
  unopenedFiles,
} from "./source_shape.ts";
import { disagreeingVersions, missingSetup } from "./versions.ts";

const files = await readProject();
const graph = await readModuleGraph(files.filter(isTypeScript).map(({ path }) => path));

const CHECKS: Record<string, Checker> = {
  "no source file is too long": longFiles,
  "every source file opens with what it is": unopenedFiles,
  "no file name is empty of meaning": emptyNames,
  "source files are named in snake_case": oddlySpelledNames,
  "docs/architecture.md describes every folder": undescribedModules,
  "no forbidden word stands anywhere": forbiddenWords,
  "every Markdown file has one title": badTitles,
  "every relative link resolves": brokenLinks,
  "decision records are complete and indexed": badDecisions,
  "the changelog keeps its format": badChangelog,
  "versions agree wherever they stand": disagreeingVersions,
  "docs/logging.md lists every message of the log": undocumentedMessages,
  "every ported behaviour has its test": missingPortedTests,
  "the README names both set-up commands": missingSetup,
  "no source file is dead": (files) => deadFiles(files, graph),
};

for (const [name, check] of Object.entries(CHECKS)) {
  Deno.test(name, () => {
    const complaints = check(files);
    assert.equal(complaints.length, 0, "\n" + complaints.join("\n"));
  });
}
