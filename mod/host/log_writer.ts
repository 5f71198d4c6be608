/** Log lines to standard error, whatever became of its reader: a journal that restarts must not end the agent. */

/**
 * Writes one line, with its line break, whole or not at all where the stream allows. A line that nobody takes (EPIPE, a
 * full disk, a terminal that is gone) is lost; there is no place left to say so.
 */
export function writeLogLine(
  line: string,
  stream: { writeSync(bytes: Uint8Array): number } = Deno.stderr,
): void {
  let bytes = new TextEncoder().encode(`${line}\n`);
  try {
    while (bytes.length > 0) {
      const taken = stream.writeSync(bytes);
      if (taken === 0) return;
      bytes = bytes.subarray(taken);
    }
  } catch {
    // Lost.
  }
}
