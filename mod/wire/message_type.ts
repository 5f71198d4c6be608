/** The first field of each message. Numbers are part of the wire format and never used again. */
export const MessageType = {
  ping: 1,
  indirectPing: 2,
  ack: 3,
  nack: 4,
  suspect: 5,
  dead: 6,
  left: 7,
  alive: 8,
  sync: 9,
  synced: 10,
  reach: 11,
  riderItem: 12,
  riderLetter: 13,
} as const;
