/** Puts launcher, program and runtime behind each other: the layout of the single file. */
import { gzipSync } from "node:zlib";
import { type PackedRuntime, sha256 } from "./runtime.ts";

/**
 * How the runtime is started. No discovery of configuration, lock or packages: the program is one
 * file. V8's young generation is held at 4 MB, and memory saver mode on: an agent with much
 * garbage then stays at 25 instead of 45 MB of private memory, for 13 % more CPU, and starts no
 * slower (docs/adr/0004).
 */
export const RUNTIME_FLAGS: readonly string[] = [
  "-A",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-prompt",
  "--unstable-net",
  "--v8-flags=--max-semi-space-size=4,--memory-saver-mode",
];

/** The launcher is padded to a multiple of this, so that its numbers do not move its own end. */
const HEADER_UNIT = 4096;

/** Digits of a SHA-256 that name a directory: 64 bits tell any number of versions apart. */
const SHORT_SUM = 16;

/** The whole file, a pure function of its parts. */
export function assemble(
  launcher: string,
  program: string,
  runtime: PackedRuntime,
): Uint8Array {
  const packedProgram = new Uint8Array(gzipSync(program, { level: 9 }));
  const programSum = sha256(program);
  const headerLength = Math.ceil((launcher.length + 1024) / HEADER_UNIT) * HEADER_UNIT;
  const runtimeAt = headerLength + packedProgram.length;
  const payload = join([packedProgram, runtime.packed]);
  const header = fill(launcher, {
    // What is started, and how: a change of either is another version with a directory of its own.
    ID: sha256([programSum, runtime.sum, ...RUNTIME_FLAGS].join("\n")).slice(0, SHORT_SUM),
    MACHINE: runtime.facts.machine,
    INTERPRETER: runtime.facts.interpreter,
    FLAGS: RUNTIME_FLAGS.join(" "),
    // tail -c +N counts from 1.
    PROGRAM_AT: String(headerLength + 1),
    PROGRAM_SIZE: String(packedProgram.length),
    PROGRAM_SUM: programSum,
    RUNTIME_AT: String(runtimeAt + 1),
    RUNTIME_SUM: runtime.sum,
    RUNTIME_SHORT: runtime.sum.slice(0, SHORT_SUM),
    PAYLOAD_SUM: sha256(payload),
    SIZE: String(headerLength + payload.length),
    MEGABYTES: String(Math.ceil((runtime.length + program.length) / 1e6)),
  });
  if (header.length > headerLength) throw new Error("The launcher does not fit its header");
  return join([new TextEncoder().encode(header.padEnd(headerLength, "\n")), payload]);
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  const text = template.replace(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The launcher asks for @${name}@, which has no value`);
    return value;
  });
  // Lengths are counted in characters above.
  // deno-lint-ignore no-control-regex
  if (!/^[\x00-\x7f]*$/.test(text)) throw new Error("The launcher is not plain ASCII");
  return text;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
