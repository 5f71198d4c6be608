/**
 * Classic BPF on sockets (linux/filter.h; Documentation/networking/filter.rst): a program of the kernel's that
 * decides which datagrams a socket gets at all. Only the few instructions that gossamer uses.
 */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { libc } from "./libc.ts";
import { SOL_SOCKET } from "./socket.ts";

/** asm-generic/socket.h */
const SO_ATTACH_FILTER = 26;
/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_BYTES = 8;
/** struct sock_fprog: u16 len, padding, pointer to the instructions. */
const PROGRAM_BYTES = 16;
const POINTER_AT = 8;

/** Bytes of the datagram that are kept: all of it, and none. */
export const BPF_ACCEPT = 0xffff_ffff;
export const BPF_DROP = 0;

/** Loads are in network order; `then` and `otherwise` are how many instructions are skipped. */
export type BpfInstruction =
  | { readonly kind: "load-half" | "load-word"; readonly at: number }
  | {
    readonly kind: "jump-if-equal";
    readonly value: number;
    readonly then: number;
    readonly otherwise: number;
  }
  | { readonly kind: "return"; readonly value: number };

/** Class, size, mode and source bits together (linux/bpf_common.h). */
const CODE = {
  "load-half": 0x28, // BPF_LD | BPF_H | BPF_ABS
  "load-word": 0x20, // BPF_LD | BPF_W | BPF_ABS
  "jump-if-equal": 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  "return": 0x06, // BPF_RET | BPF_K
} as const;

/** The program as an array of struct sock_filter, in a pinned buffer. */
export function encodeBpf(program: readonly BpfInstruction[]): Uint8Array<ArrayBuffer> {
  const bytes = pinnedBytes(program.length * INSTRUCTION_BYTES);
  const view = viewOf(bytes);
  program.forEach((instruction, index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, CODE[instruction.kind], true);
    if (instruction.kind === "jump-if-equal") {
      view.setUint8(at + 2, instruction.then);
      view.setUint8(at + 3, instruction.otherwise);
    }
    view.setUint32(at + 4, "at" in instruction ? instruction.at : instruction.value, true);
  });
  return bytes;
}

/** Puts a program in front of a socket, in place of the one before; false when the kernel refuses. */
export function setSocketFilter(fd: number, program: readonly BpfInstruction[]): boolean {
  const instructions = encodeBpf(program);
  const head = pinnedBytes(PROGRAM_BYTES);
  const view = viewOf(head);
  view.setUint16(0, program.length, true);
  view.setBigUint64(
    POINTER_AT,
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(instructions)),
    true,
  );
  const set = libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, head, PROGRAM_BYTES) === 0;
  // Read after the call, so that the instructions are reachable while the kernel copies them.
  return set && instructions.length > 0;
}
