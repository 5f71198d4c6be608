/** Runs this build's own deno executable, quiet unless it fails. */

/** Runs `deno` with the arguments; a failure is an error that carries what it printed. */
export async function runDeno(
  args: readonly string[],
  options: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<void> {
  const { success, code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    ...(options.timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(options.timeoutMs) }),
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  const output = (decoder.decode(stdout) + decoder.decode(stderr)).trim();
  throw new Error(`deno ${args[0]} ended with ${signal ?? `exit code ${code}`}:\n${output}`);
}

/** A temporary folder for the time of `use`. */
export async function withTempFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "gossamer-build-" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
