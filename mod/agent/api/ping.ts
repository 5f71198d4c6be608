/** The document of `POST /ping`: how a host answers gossip at this moment. */

/** The body; `host` is a name, an address, a subnet or the beginning of an id. */
export interface PingRequest {
  host: string;
}

export interface GossipPingDocument {
  id: string;
  name: string;
  /** Round trip of a datagram in milliseconds; null when several had no answer. */
  datagramMs: number | null;
  /** Round trip over a stream, dialling included; null when there was no answer. */
  streamMs: number | null;
  /** Why there was none over a stream. */
  streamReason: string | null;
}
