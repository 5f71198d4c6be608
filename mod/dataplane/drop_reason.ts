/** Why the UDP backend's data path lets a packet go: a closed list, each with a counter of its own. */

/** By number, from 1; what a verdict of the data path carries as a negative number. */
export const DROP = {
  /** Shorter than its headers say, or than headers are. */
  truncated: 1,
  /** No IP packet, or one whose headers contradict each other. */
  malformed: 2,
  /** A datagram from an address and port that no member announces. */
  unknownSender: 3,
  /** A packet from an address that is not of its sender's subnet. */
  foreignSource: 4,
  /** A packet received for an address that is not of our subnet. */
  foreignDestination: 5,
  /** To a subnet that no host has. */
  noHost: 6,
  /** To our own subnet, which no bridge of this host took. */
  ownSubnet: 7,
  /** To containers of a host that has been silent too long. */
  silentHost: 8,
  /** Multicast and broadcast, which the overlay does not carry. */
  multicast: 9,
  /** Longer than the way to that host takes. */
  tooBig: 10,
  /** The UDP socket took no more: the sender was faster than the underlay. */
  socketFull: 11,
  /** The kernel refused to send the datagram. */
  sendFailed: 12,
  /** The TUN device took no more, or refused the packet. */
  deviceRefused: 13,
  /** A datagram whose framing is not ours. */
  badFrame: 14,
  /** Datagrams that came faster than they were taken: the UDP socket's queue was full. */
  queueFull: 15,
} as const;

/** As `status` and metrics call them, in the order of their numbers. */
export const DROP_NAMES = [
  "truncated",
  "malformed",
  "unknown-sender",
  "foreign-source",
  "foreign-destination",
  "no-host",
  "own-subnet",
  "silent-host",
  "multicast",
  "too-big",
  "socket-full",
  "send-failed",
  "device-refused",
  "bad-frame",
  "queue-full",
] as const;

export type DropName = typeof DROP_NAMES[number];
