/** All messages: reads any of them by its type. */
import { decode } from "./codec.ts";
import { decodeHello, decodeHelloed, type Hello, type Helloed } from "./hello_messages.ts";
import {
  decodeKeysAnswer,
  decodeKeysRequest,
  type KeysAnswer,
  type KeysRequest,
} from "./key_messages.ts";
import { MessageType } from "./message_type.ts";
import {
  type Alive,
  type Dead,
  decodeAlive,
  decodeDead,
  decodeLeft,
  decodeSuspect,
  type Left,
  type Suspect,
} from "./news_messages.ts";
import {
  type Ack,
  decodeAck,
  decodeIndirectPing,
  decodeNack,
  decodePing,
  decodeReach,
  type IndirectPing,
  type Nack,
  type Ping,
  type Reach,
} from "./probe_messages.ts";
import {
  decodeRiderItem,
  decodeRiderLetter,
  type RiderItem,
  type RiderLetter,
} from "./rider_messages.ts";
import { checkList, checkUint } from "./shape.ts";
import {
  decodeCompare,
  decodeCompared,
  decodeUpdate,
  decodeUpdated,
  type Sync,
} from "./sync_messages.ts";
import { decodeWho, decodeWhoAnswer, type Who, type WhoAnswer } from "./who_messages.ts";

/** Of a type that a later version may have; skipped, so that hosts of mixed versions get along. */
export interface Unknown {
  readonly kind: "unknown";
  readonly type: number;
}

export type Message =
  | Ping
  | IndirectPing
  | Ack
  | Nack
  | Reach
  | Suspect
  | Dead
  | Left
  | Alive
  | Sync
  | RiderItem
  | RiderLetter
  | Hello
  | Helloed
  | KeysRequest
  | KeysAnswer
  | Who
  | WhoAnswer
  | Unknown;

/** More fields than this has no message. */
const FIELDS_MAX = 64;
const TYPE_MAX = 255;

/** Reads one message. Throws WireError that names message and field. */
export function decodeMessage(bytes: Uint8Array): Message {
  const fields = checkList(decode(bytes), FIELDS_MAX, "message");
  const type = checkUint(fields[0], TYPE_MAX, "message type");
  switch (type) {
    case MessageType.ping:
      return decodePing(fields);
    case MessageType.indirectPing:
      return decodeIndirectPing(fields);
    case MessageType.ack:
      return decodeAck(fields);
    case MessageType.nack:
      return decodeNack(fields);
    case MessageType.suspect:
      return decodeSuspect(fields);
    case MessageType.dead:
      return decodeDead(fields);
    case MessageType.left:
      return decodeLeft(fields);
    case MessageType.alive:
      return decodeAlive(fields);
    case MessageType.compare:
      return decodeCompare(fields);
    case MessageType.compared:
      return decodeCompared(fields);
    case MessageType.update:
      return decodeUpdate(fields);
    case MessageType.updated:
      return decodeUpdated(fields);
    case MessageType.reach:
      return decodeReach(fields);
    case MessageType.riderItem:
      return decodeRiderItem(fields);
    case MessageType.riderLetter:
      return decodeRiderLetter(fields);
    case MessageType.hello:
      return decodeHello(fields);
    case MessageType.helloed:
      return decodeHelloed(fields);
    case MessageType.keys:
      return decodeKeysRequest(fields);
    case MessageType.keysAnswer:
      return decodeKeysAnswer(fields);
    case MessageType.who:
      return decodeWho(fields);
    case MessageType.whoAnswer:
      return decodeWhoAnswer(fields);
    default:
      return { kind: "unknown", type };
  }
}
