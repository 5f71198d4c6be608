/** Puts launcher, program and runtime behind each other: the layout of the single file. */
import { gzipSync } from "node:zlib";
import { type Program } from "./bundle.ts";
import { type PackedRuntime, sha256 } from "./runtime.ts";

/**
 * How the runtime is started. No discovery of configuration, lock or packages: the program brings
 * everything. V8's young generation is held at 4 MB, and memory saver mode on: an agent with much
 * garbage then stays at 25 instead of 45 MB of private memory, for 15 % more CPU, and starts no
 * slower. All is compiled at the first start, with the source positions that errors need: looking
 * them up later would compile a whole module again, 10 ms (docs/adr/0012).
 */
export const RUNTIME_FLAGS: readonly string[] = [
  "-A",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-prompt",
  "--unstable-net",
  "--v8-flags=--max-semi-space-size=4,--memory-saver-mode,--no-lazy,--no-enable-lazy-source-positions",
];

/** The launcher is padded to a multiple of this, so that its numbers do not move its own end. */
const HEADER_UNIT = 4096;

/** The line of the launcher that the facts about what is packed replace. */
const FACTS_LINE = /^# PACKED: .*$/m;

/** Room for those facts. */
const FACTS_LENGTH = 1024;

/** Digits of a SHA-256 that name a directory: 64 bits tell any number of versions apart. */
const SHORT_SUM = 16;

/** The whole file, a pure function of its parts. */
export function assemble(
  launcher: string,
  program: Program,
  runtime: PackedRuntime,
): Uint8Array {
  const text = JSON.stringify(Object.fromEntries([...program, ["warm.js", warmModule(program)]]));
  const packedProgram = new Uint8Array(gzipSync(text, { level: 9 }));
  const programSum = sha256(text);
  const headerLength = Math.ceil((launcher.length + FACTS_LENGTH) / HEADER_UNIT) * HEADER_UNIT;
  const runtimeAt = headerLength + packedProgram.length;
  const payload = join([packedProgram, runtime.packed]);
  const header = stateFacts(launcher, {
    // What is started, and how: a change of either is another version with a directory of its own.
    id: sha256([programSum, runtime.sum, ...RUNTIME_FLAGS].join("\n")).slice(0, SHORT_SUM),
    machine: runtime.facts.machine,
    interpreter: runtime.facts.interpreter,
    flags: RUNTIME_FLAGS.join(" "),
    // tail -c +N counts from 1.
    program_at: String(headerLength + 1),
    program_size: String(packedProgram.length),
    program_sum: programSum,
    runtime_at: String(runtimeAt + 1),
    runtime_sum: runtime.sum,
    runtime_short: runtime.sum.slice(0, SHORT_SUM),
    payload_sum: sha256(payload),
    size: String(headerLength + payload.length),
    megabytes: String(Math.ceil((runtime.length + text.length) / 1e6)),
  });
  if (header.length > headerLength) throw new Error("The launcher does not fit its header");
  return join([new TextEncoder().encode(header.padEnd(headerLength, "\n")), payload]);
}

/**
 * The module that the first start runs once: it loads every part of the program, so that Deno keeps their compiled code,
 * and ends by itself, because Deno keeps nothing of a run that ends by Deno.exit. The entry comes first, with the
 * arguments of a command that changes nothing.
 */
function warmModule(program: Program): string {
  return `Deno.exit = (code) => { Deno.exitCode = code; };
for (const name of ${JSON.stringify([...program.keys()])}) await import(\`./\${name}\`);
`;
}

/** Puts the facts into the launcher, as shell variables, where it has its line for them. */
function stateFacts(launcher: string, facts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(facts).map(([name, value]) => {
    if (!/^[\w ./,=-]+$/.test(value)) throw new Error(`${name} needs quoting: ${value}`);
    return `gossamer_${name}='${value}'`;
  });
  const text = launcher.replace(FACTS_LINE, lines.join("\n"));
  if (text === launcher) throw new Error("The launcher has no line for the facts");
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
