/** What one simulated host sent and received, in payload bytes: headers of UDP, TCP and IP are not counted. */

export interface Traffic {
  datagramsSent: number;
  datagramBytesSent: number;
  datagramsReceived: number;
  datagramBytesReceived: number;
  /** Datagrams that found the socket's buffer full. */
  datagramsDropped: number;
  /** Streams that this host opened, and that were opened to it. */
  requestsSent: number;
  requestsReceived: number;
  /** Questions and answers, as asker and as answerer. */
  streamBytesSent: number;
  streamBytesReceived: number;
}

export function newTraffic(): Traffic {
  return {
    datagramsSent: 0,
    datagramBytesSent: 0,
    datagramsReceived: 0,
    datagramBytesReceived: 0,
    datagramsDropped: 0,
    requestsSent: 0,
    requestsReceived: 0,
    streamBytesSent: 0,
    streamBytesReceived: 0,
  };
}

/** Bytes sent, over datagrams and streams. */
export function bytesSent(traffic: Traffic): number {
  return traffic.datagramBytesSent + traffic.streamBytesSent;
}
