/** Events as a stream of JSON lines, for `gossamer monitor`: a slow reader loses events, and is told how many. */
import { type DroppedDocument, type EventDocument, STATUS_SCHEMA } from "./api.ts";
import type { EventFeed } from "./event_feed.ts";

/** Lines kept for a reader that does not read, besides what the socket holds. */
const WAITING_MAX = 1_000;

/**
 * What happened before if `withRecent`, then what happens, until the agent ends or the reader goes away, which the server
 * finds out when it writes.
 */
export function eventStream(feed: EventFeed, withRecent: boolean): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let forget = () => {};
  let dropped = 0;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const line = (document: EventDocument | DroppedDocument) =>
        controller.enqueue(encoder.encode(`${JSON.stringify(document)}\n`));
      const hasRoom = () => (controller.desiredSize ?? 0) > 0;
      // Something at once, so that the reader knows that it is heard: an empty line.
      controller.enqueue(encoder.encode("\n"));
      if (withRecent) { for (const event of feed.recent()) line(event); }
      forget = feed.listen({
        event(event) {
          if (!hasRoom()) return void dropped++;
          if (dropped > 0) line({ schema: STATUS_SCHEMA, event: "events-dropped", count: dropped });
          dropped = 0;
          line(event);
        },
        ended: () => controller.close(),
      });
    },
    cancel: () => forget(),
  }, { highWaterMark: WAITING_MAX });
}
