/** The program the end-to-end tests run: `dist/gossamer`, built from the sources as they are now. */

const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** Runs the tests on another program, such as an older build. */
const OVERRIDE_VARIABLE = "GOSSAMER_E2E_EXECUTABLE";

let building: Promise<string> | undefined;

/** Path of the built file; builds it first if a source is newer. */
export function builtExecutable(): Promise<string> {
  const given = Deno.env.get(OVERRIDE_VARIABLE);
  if (given !== undefined) return Promise.resolve(given);
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/build.ts", "--if-stale", "--form=launcher"],
    cwd: root,
    stdin: "null",
  }).output();
  if (!success) {
    const decoder = new TextDecoder();
    throw new Error(
      `dist/gossamer was not built\n${decoder.decode(stdout)}${decoder.decode(stderr)}`,
    );
  }
  return `${root}dist/gossamer`;
}
