/** The process of a CNI plugin: all of standard input, one document to standard output. */
import { runPlugin } from "../cni/plugin.ts";
import { processOutside } from "./outside.ts";

/** A configuration with a thousand valid attachments, as GC gets it, has 100 KB. */
const INPUT_BYTES_MAX = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Runs the command of the environment and returns the exit code. */
export async function runPluginProcess(): Promise<0 | 1> {
  const { variable, print } = processOutside();
  try {
    return await runPlugin({ variable, input, print });
  } catch {
    return 1; // the runtime has gone, and with it the reader of what there is to say
  }
}

function input(): string {
  if (Deno.stdin.isTerminal()) return "";
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let text = "";
  for (let total = 0; total < INPUT_BYTES_MAX;) {
    const length = Deno.stdin.readSync(chunk);
    if (length === null) break;
    total += length;
    text += decoder.decode(chunk.subarray(0, length), { stream: true });
  }
  return text + decoder.decode();
}
