/** Who is there? The one question that may be sealed for whoever opens it; everything else waits for its answer. */
import { encode, type WireValue } from "./codec.ts";
import { checkId, INSTANCE_BYTES } from "./member_record.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkHex } from "./shape.ts";

export interface Hello {
  readonly kind: "hello";
}

/** The host at that address, and the process it is now. */
export interface Helloed {
  readonly kind: "helloed";
  readonly id: string;
  readonly instance: string;
}

export function encodeHello(): Uint8Array {
  return encode([MessageType.hello]);
}

export function encodeHelloed(id: string, instance: string): Uint8Array {
  return encode([MessageType.helloed, Uint8Array.fromHex(id), Uint8Array.fromHex(instance)]);
}

export function decodeHello(value: WireValue): Hello {
  checkArray(value, 1, "hello");
  return { kind: "hello" };
}

export function decodeHelloed(value: WireValue): Helloed {
  const fields = checkArray(value, 3, "helloed");
  return {
    kind: "helloed",
    id: checkId(fields[1], "helloed"),
    instance: checkHex(fields[2], INSTANCE_BYTES, "helloed instance"),
  };
}
