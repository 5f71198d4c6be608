/**
 * Who are you? Asked over a stream where another process seems to run under the asker's own identity. The answer repeats the
 * question's nonce, so that none that was recorded fits another question.
 */
import type { Endpoint } from "../base/core.ts";
import { encode, type WireValue } from "./codec.ts";
import { endpointToBytes } from "./endpoint_bytes.ts";
import { checkEndpoint, checkId, INSTANCE_BYTES } from "./member_record.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkHex } from "./shape.ts";

/** 64 bits: nobody guesses one of the few that are under way. */
export const NONCE_BYTES = 8;

export interface Who {
  readonly kind: "who";
  /** 16 hexadecimal digits. */
  readonly nonce: string;
  /** The identity that both seem to have, and the asker has. */
  readonly id: string;
  /** Of the asking process. */
  readonly instance: string;
  /** Where the asker is asked in turn. */
  readonly endpoint: Endpoint;
}

export interface WhoAnswer {
  readonly kind: "who-answer";
  readonly nonce: string;
  readonly id: string;
  readonly instance: string;
}

export function encodeWho({ nonce, id, instance, endpoint }: Omit<Who, "kind">): Uint8Array {
  return encode([
    MessageType.who,
    Uint8Array.fromHex(nonce),
    Uint8Array.fromHex(id),
    Uint8Array.fromHex(instance),
    endpointToBytes(endpoint),
  ]);
}

export function encodeWhoAnswer({ nonce, id, instance }: Omit<WhoAnswer, "kind">): Uint8Array {
  return encode([
    MessageType.whoAnswer,
    Uint8Array.fromHex(nonce),
    Uint8Array.fromHex(id),
    Uint8Array.fromHex(instance),
  ]);
}

export function decodeWho(value: WireValue): Who {
  const fields = checkArray(value, 5, "who");
  return {
    kind: "who",
    nonce: checkHex(fields[1], NONCE_BYTES, "who nonce"),
    id: checkId(fields[2], "who"),
    instance: checkHex(fields[3], INSTANCE_BYTES, "who instance"),
    endpoint: checkEndpoint(fields[4], "who"),
  };
}

export function decodeWhoAnswer(value: WireValue): WhoAnswer {
  const fields = checkArray(value, 4, "who answer");
  return {
    kind: "who-answer",
    nonce: checkHex(fields[1], NONCE_BYTES, "who answer nonce"),
    id: checkId(fields[2], "who answer"),
    instance: checkHex(fields[3], INSTANCE_BYTES, "who answer instance"),
  };
}
