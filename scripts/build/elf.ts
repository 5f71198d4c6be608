/** The few facts of an ELF executable that the launcher states on other machines (elf.h). */

/** What an executable needs of the machine it runs on. */
export interface ElfFacts {
  /** As `uname -m` prints it. */
  machine: string;
  /** The dynamic loader, an absolute path; on glibc systems it is always there. */
  interpreter: string;
}

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const PT_INTERP = 3;
const HEADER_LENGTH = 64;
/** e_machine to the name of `uname -m`. */
const MACHINES: ReadonlyMap<number, string> = new Map([[62, "x86_64"], [183, "aarch64"]]);

/** Reads the header of a 64-bit little-endian executable; `path` is only for the error. */
export function readElf(bytes: Uint8Array, path: string): ElfFacts {
  const isElf = bytes.length >= HEADER_LENGTH && MAGIC.every((byte, i) => bytes[i] === byte) &&
    bytes[4] === CLASS_64 && bytes[5] === LITTLE_ENDIAN;
  if (!isElf) {
    throw new Error(`${path} is not a native 64-bit executable; build with the deno executable`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = MACHINES.get(view.getUint16(18, true));
  if (machine === undefined) {
    throw new Error(`${path} is for ELF machine ${view.getUint16(18, true)}, which is not known`);
  }
  const tableOffset = Number(view.getBigUint64(32, true));
  const entrySize = view.getUint16(54, true);
  const entryCount = view.getUint16(56, true);
  for (let i = 0; i < entryCount; i++) {
    const at = tableOffset + i * entrySize;
    if (view.getUint32(at, true) !== PT_INTERP) continue;
    const start = Number(view.getBigUint64(at + 8, true));
    // The size counts the terminating zero.
    const end = start + Number(view.getBigUint64(at + 32, true)) - 1;
    return { machine, interpreter: new TextDecoder().decode(bytes.subarray(start, end)) };
  }
  throw new Error(`${path} names no dynamic loader; FFI needs a dynamically linked runtime`);
}
