/** Checks that what is said in several places is the same everywhere: versions and set-up commands. */
import type { SourceFile } from "./source_file.ts";

/** Names of our own version, and of the Deno that everything is run with, that disagree. */
export function disagreeingVersions(files: readonly SourceFile[]): string[] {
  const text = (path: string) => files.find((file) => file.path === path)?.text ?? "";
  const configured = /"version": "([^"]+)"/.exec(text("deno.json"))?.[1];
  const built = /VERSION = "([^"]+)"/.exec(text("mod/base/version.ts"))?.[1];
  const complaints = configured === built
    ? []
    : [`deno.json has version ${configured}, mod/base/version.ts has ${built}`];
  const commanded = /\bdeno@([\d.]+\d)/.exec(text(".ci/run"))?.[1];
  for (const { path, text } of files) {
    for (const [found, version] of text.matchAll(/\bdeno@([\d.]+\d)/g)) {
      if (version === commanded || path.startsWith("tests/tidy/")) continue;
      complaints.push(`${path} names ${found}, but .ci/run runs deno@${commanded}`);
    }
  }
  return complaints;
}

/** The two commands with which everybody starts; the README has to name them, word for word. */
const SETUP_COMMANDS = /^npx --yes deno@[\d.]+ task (demo|test)\b/gm;

/** Set-up commands that the README does not name. */
export function missingSetup(files: readonly SourceFile[]): string[] {
  const readme = files.find(({ path }) => path === "README.md")?.text ?? "";
  const named = [...readme.matchAll(SETUP_COMMANDS)].map(([, task]) => task);
  return ["demo", "test"]
    .filter((task) => !named.includes(task))
    .map((task) => `README.md does not name the command "npx --yes deno@... task ${task}"`);
}
